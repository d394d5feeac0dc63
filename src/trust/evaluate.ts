// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../base/assert-never.ts';
import { type Digest, sha256 } from '../base/digest.ts';
import { describeRule } from './verdict/describe-verdict.ts';
import type { EvaluationContext, PolicySubject, RequirementResult } from './verdict/evaluation.ts';
import type { Policy } from './policy/policy.ts';
import type { Requirement } from './policy/requirement.ts';
import { chooseRule } from './policy/scope-lookup.ts';
import type { SignatureSearch } from './lookaside/signature-source.ts';
import { evaluateSignedBy } from './simple/signed-by.ts';
import { evaluateSigstoreSigned } from './sigstore/sigstore-signed.ts';
import { unsignedAdmission } from './system-container-rule.ts';
import type { AskedPlace } from './verdict/signature-checks.ts';
import { TrustError } from './verdict/trust-error.ts';
import type { PolicyRule, RequirementOutcome, Verdict } from './verdict/verdict.ts';

/** A verdict, and how it was come to. */
export interface Evaluation {
  readonly verdict: Verdict;
  /** The requirements of the chosen rule; those behind the first that is not met have no result. */
  readonly requirements: readonly EvaluatedRequirement[];
  /** Every place that was asked for signatures; empty where none were asked for, or asking failed. */
  readonly places: readonly AskedPlace[];
}

export interface EvaluatedRequirement {
  readonly requirement: Requirement;
  readonly result: RequirementResult | undefined;
}

/**
 * Decides whether the policy admits the image: every requirement of the chosen rule must be met
 * (AND), the first that is not decides; a `signedBy` is met by any one good signature (OR).
 * `findSignatures` is called at most once and only when a requirement needs signatures; that it fails
 * is a refusal, never "no signatures".
 *
 * @throws TrustError MANIFEST_MISMATCH when the bytes do not have the digest; the signal's reason on
 *   abort. Everything else that goes wrong is a refusal in the verdict.
 */
export async function evaluatePolicy(
  policy: Policy,
  subject: PolicySubject,
  findSignatures: () => Promise<SignatureSearch>,
  context: EvaluationContext,
): Promise<Evaluation> {
  context.signal.throwIfAborted();
  const { manifestDigest } = subject;
  const actual = sha256(subject.manifestBytes);
  if (actual !== manifestDigest)
    throw new TrustError(
      'MANIFEST_MISMATCH',
      `manifest ${manifestDigest} has the digest ${actual}`,
    );
  const { rule, requirements } = chooseRule(policy, subject.transport, subject.policyIdentity);
  const places: AskedPlace[] = [];
  let search: Promise<SignatureSearch> | undefined;
  const find = async (): Promise<SignatureSearch> => {
    const found = await findSignatures();
    places.push(...found.places);
    return found;
  };
  const findOnce = () => (search ??= find());
  const results: RequirementResult[] = [];
  for (const requirement of requirements) {
    const result = await evaluateRequirement(requirement, rule, subject, findOnce, context);
    context.signal.throwIfAborted();
    results.push(result);
    if (!result.met) break;
  }
  return {
    verdict: verdictOf(results, rule, manifestDigest),
    requirements: requirements.map((requirement, n) => ({ requirement, result: results[n] })),
    places,
  };
}

function verdictOf(
  results: readonly RequirementResult[],
  rule: PolicyRule,
  manifestDigest: Digest,
): Verdict {
  const outcomes: RequirementOutcome[] = [];
  for (const result of results) {
    if (!result.met)
      return { allowed: false, rule, reasons: result.reasons, hint: result.hint, manifestDigest };
    outcomes.push(result.outcome);
  }
  const unsigned = unsignedAdmission(rule, outcomes);
  return { allowed: true, rule, outcomes, manifestDigest, unsigned };
}

async function evaluateRequirement(
  requirement: Requirement,
  rule: PolicyRule,
  subject: PolicySubject,
  findSignatures: () => Promise<SignatureSearch>,
  context: EvaluationContext,
): Promise<RequirementResult> {
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return { met: true, outcome: { type: 'insecureAcceptAnything' } };
    case 'reject':
      return refuse(
        `the policy rejects it (${describeRule(rule)})`,
        `name it in a scope of ${rule.policyFile} that says which keys must have signed it`,
      );
    case 'signedBy':
      return await evaluateSignedBy(requirement, rule, subject, findSignatures, context);
    case 'sigstoreSigned':
      return await evaluateSigstoreSigned(requirement, rule, subject, findSignatures, context);
    case 'signedBaseLayer':
      return refuse(
        `the policy asks for signedBaseLayer (${describeRule(rule)}), which no tool implements`,
        `remove that requirement from ${rule.policyFile}`,
      );
    default:
      return assertNever(requirement);
  }
}

function refuse(reason: string, hint: string): RequirementResult {
  return { met: false, reasons: [reason], hint };
}
