// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../base/assert-never.ts';
import { type Digest, sha256 } from '../base/digest.ts';
import { evaluateAnyOf } from './rule/any-of.ts';
import type { SignatureQuestion } from './lookaside/judge-signatures.ts';
import type { SignatureSearch } from './lookaside/signature-source.ts';
import type { Policy } from './policy/policy.ts';
import type {
  AttestedRequirement,
  Requirement,
  SignatureRequirement,
} from './policy/requirement.ts';
import { alsoRules, chooseRule } from './policy/scope-lookup.ts';
import { evaluateNoDowngrade } from './rule/no-downgrade.ts';
import { evaluateAttested } from './sigstore/attested.ts';
import { evaluateSigstoreSigned } from './sigstore/sigstore-signed.ts';
import { joinResults, signedManifests } from './rule/signed-manifest.ts';
import { evaluateSignedWithin } from './rule/signed-within.ts';
import { evaluateSignedBy } from './simple/signed-by.ts';
import { unsignedAdmission } from './rule/system-container-rule.ts';
import { describeRule } from './verdict/describe-verdict.ts';
import type { EvaluationContext, PolicySubject, RequirementResult } from './verdict/evaluation.ts';
import type { AskedPlace } from '../base/asked-place.ts';
import { TrustError } from './verdict/trust-error.ts';
import type {
  PolicyRule,
  RequirementOutcome,
  SignatureOutcome,
  Verdict,
} from './verdict/verdict.ts';

/** A verdict, and how it was come to. */
export interface Evaluation {
  readonly verdict: Verdict;
  /** The rule that decides; what must hold in addition comes with its own. */
  readonly rule: PolicyRule;
  /**
   * The requirements of the chosen rule, then what must hold in addition, then what is asked of the time of the
   * signatures; those behind the first that is not met have no result.
   */
  readonly requirements: readonly EvaluatedRequirement[];
  /** Every place that was asked for signatures; empty where none were asked for, or asking failed. */
  readonly places: readonly AskedPlace[];
}

export interface EvaluatedRequirement {
  readonly rule: PolicyRule;
  readonly requirement: Requirement;
  readonly result: RequirementResult | undefined;
}

/**
 * Decides whether the policy admits the image: every requirement of the chosen rule must be met, and all that
 * `also` of trust.d asks for (AND), the first that is not decides; a `signedBy` is met by any one good signature (OR).
 * `findSignatures` is called at most once for a manifest and only when a requirement needs signatures; that it fails
 * is a refusal, never "no signatures".
 *
 * @throws TrustError MANIFEST_MISMATCH when the bytes do not have the digest; the signal's reason on
 *   abort. Everything else that goes wrong is a refusal in the verdict.
 */
export async function evaluatePolicy(
  policy: Policy,
  subject: PolicySubject,
  findSignatures: (manifestDigest: Digest) => Promise<SignatureSearch>,
  context: EvaluationContext,
): Promise<Evaluation> {
  context.signal.throwIfAborted();
  assertManifest(subject);
  const { manifestDigest, transport, policyIdentity } = subject;
  const chosen = chooseRule(policy, transport, policyIdentity);
  const also = alsoRules(policy, transport, policyIdentity);
  const asked = inOrder(
    [chosen, ...also].flatMap(({ rule, requirements }) =>
      requirements.map((requirement) => ({ rule, requirement })),
    ),
  );
  const wanted = asked.some(({ requirement }) => isAboutTime(requirement)) ? 'all' : 'one';
  const search = new Search(findSignatures);
  const results: RequirementResult[] = [];
  const counting: (readonly SignatureOutcome[])[] = [];
  for (const { rule, requirement } of asked) {
    const question = { rule, subject, search, wanted, context, counting } as const;
    const result = await evaluateRequirement(requirement, question);
    context.signal.throwIfAborted();
    results.push(result);
    if (!result.met) break;
    if (asksWho(requirement)) counting.push(result.counting);
  }
  const requirements = asked.map((one, n) => ({ ...one, result: results[n] }));
  const added = also.map(({ rule }) => rule);
  const verdict = verdictOf(requirements, chosen.rule, added, manifestDigest);
  return { verdict, rule: chosen.rule, requirements, places: search.places };
}

function assertManifest({ manifestDigest, manifestBytes }: PolicySubject): void {
  const actual = sha256(manifestBytes);
  if (actual === manifestDigest) return;
  throw new TrustError('MANIFEST_MISMATCH', `manifest ${manifestDigest} has the digest ${actual}`);
}

/** Looks for the signatures of each manifest once. */
class Search {
  readonly places: AskedPlace[] = [];
  readonly #find: (manifestDigest: Digest) => Promise<SignatureSearch>;
  readonly #found = new Map<Digest, Promise<SignatureSearch>>();

  constructor(find: (manifestDigest: Digest) => Promise<SignatureSearch>) {
    this.#find = find;
  }

  find(manifestDigest: Digest): Promise<SignatureSearch> {
    const found = this.#found.get(manifestDigest) ?? this.#ask(manifestDigest);
    this.#found.set(manifestDigest, found);
    return found;
  }

  async #ask(manifestDigest: Digest): Promise<SignatureSearch> {
    const found = await this.#find(manifestDigest);
    this.places.push(...found.places);
    return found;
  }
}

/** What is asked of the time of signatures comes behind what finds them. */
function inOrder<One extends { readonly requirement: Requirement }>(
  asked: readonly One[],
): readonly One[] {
  const [first, last] = [false, true].map((isLast) =>
    asked.filter(({ requirement }) => isAboutTime(requirement) === isLast),
  );
  return [...(first ?? []), ...(last ?? [])];
}

function isAboutTime({ type }: Requirement): boolean {
  return type === 'signedWithin' || type === 'noDowngrade';
}

function asksWho({ type }: Requirement): boolean {
  return type === 'signedBy' || type === 'sigstoreSigned' || type === 'anyOf';
}

function verdictOf(
  requirements: readonly EvaluatedRequirement[],
  rule: PolicyRule,
  also: readonly PolicyRule[],
  manifestDigest: Digest,
): Verdict {
  const outcomes: RequirementOutcome[] = [];
  for (const { rule: unmet, result } of requirements) {
    if (result?.met === true) outcomes.push(result.outcome);
    else if (result !== undefined) {
      const { reasons, hint } = result;
      return { allowed: false, rule: unmet, reasons, hint, manifestDigest };
    }
  }
  const unsigned = unsignedAdmission(rule, outcomes);
  const added = also.length === 0 ? {} : { also };
  return { allowed: true, rule, ...added, outcomes, manifestDigest, unsigned };
}

/** What one requirement is asked about. */
interface Question {
  readonly rule: PolicyRule;
  readonly subject: PolicySubject;
  readonly search: Search;
  readonly wanted: 'one' | 'all';
  readonly context: EvaluationContext;
  /** The signatures that counted for requirements in front of this one, for each. */
  readonly counting: readonly (readonly SignatureOutcome[])[];
}

async function evaluateRequirement(
  requirement: Requirement,
  question: Question,
): Promise<RequirementResult> {
  const { rule, context, counting } = question;
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return { met: true, outcome: { type: 'insecureAcceptAnything' }, counting: [] };
    case 'reject':
      return refuse(
        `the policy rejects it (${describeRule(rule)})`,
        `name it in a scope of ${rule.policyFile} that says which keys must have signed it`,
      );
    case 'signedBy':
    case 'sigstoreSigned':
    case 'attested':
      return await evaluateSignature(requirement, question);
    case 'anyOf':
      return await evaluateAnyOf(
        requirement,
        { rule, wanted: question.wanted, now: context.now() },
        async (part, wanted) => await evaluateRequirement(part, { ...question, wanted }),
      );
    case 'signedWithin':
      return evaluateSignedWithin(requirement, rule, counting, context.now());
    case 'noDowngrade':
      return evaluateNoDowngrade(rule, question.subject, counting, context);
    case 'signedBaseLayer':
      return refuse(
        `the policy asks for signedBaseLayer (${describeRule(rule)}), which no tool implements`,
        `remove that requirement from ${rule.policyFile}`,
      );
    default:
      return assertNever(requirement);
  }
}

/** Asks about each manifest that a signature may be for, until one is met or all were asked about. */
async function evaluateSignature(
  requirement: SignatureRequirement | AttestedRequirement,
  { subject, search, ...question }: Question,
): Promise<RequirementResult> {
  const results: RequirementResult[] = [];
  for (const manifestDigest of signedManifests(requirement.signedManifest, subject)) {
    const about = {
      ...question,
      subject: { ...subject, manifestDigest },
      findSignatures: () => search.find(manifestDigest),
    };
    const result = await evaluateAbout(requirement, about);
    results.push(result);
    if (result.met && question.wanted === 'one') break;
  }
  return joinResults(results);
}

async function evaluateAbout(
  requirement: SignatureRequirement | AttestedRequirement,
  about: SignatureQuestion,
): Promise<RequirementResult> {
  switch (requirement.type) {
    case 'signedBy':
      return await evaluateSignedBy(requirement, about);
    case 'sigstoreSigned':
      return await evaluateSigstoreSigned(requirement, about);
    case 'attested':
      return await evaluateAttested(requirement, about);
    default:
      return assertNever(requirement);
  }
}

function refuse(reason: string, hint: string): RequirementResult {
  return { met: false, reasons: [reason], hint };
}
