// SPDX-License-Identifier: Apache-2.0
import type { AskedPlace } from '../base/asked-place.ts';
import { type Digest, sha256 } from '../base/digest.ts';
import { adviceFor } from './advice.ts';
import type { Advice, SignaturePlaces } from './signature-advice.ts';
import type { EvaluatedRequirement, Evaluation } from './evaluate.ts';
import type { CandidateSignature } from './lookaside/signature-source.ts';
import type { Policy } from './policy/policy.ts';
import type { Requirement, SignedManifest } from './policy/requirement.ts';
import { alsoRules, coveringRules } from './policy/scope-lookup.ts';
import { type FoundSignature, readUntrustedClaims } from './review/untrusted-claims.ts';
import { applySystemContainerRule } from './rule/system-container-rule.ts';
import type { PolicySubject } from './verdict/evaluation.ts';
import type { CheckedSignature } from './verdict/signature-checks.ts';
import type { PolicyRule, Verdict } from './verdict/verdict.ts';

/** All that can be said of why an image is admitted or refused. */
export interface Explanation {
  readonly manifestDigest: Digest;
  /** The rule that decides. */
  readonly rule: PolicyRule;
  /** What must hold in addition. */
  readonly also: readonly PolicyRule[];
  /** The rules that would decide if those before them were not there, the next one first. */
  readonly shadowed: readonly PolicyRule[];
  readonly requirements: readonly ExplainedRequirement[];
  readonly places: readonly AskedPlace[];
  /** What was found. Nothing of it is verified. */
  readonly found: readonly FoundSignature[];
  readonly verdict: Verdict;
  /** What `install --system` makes of it. */
  readonly systemVerdict: Verdict;
  /** What to do, if anything is to be done. */
  readonly advice: readonly Advice[];
}

export interface ExplainedRequirement {
  readonly type: Requirement['type'];
  /** The rule that it is one of. */
  readonly rule: PolicyRule;
  /** Not looked at: one before it is not met. */
  readonly result: 'met' | 'not met' | 'not looked at';
  readonly wanted: string | undefined;
  readonly signers: readonly string[];
  readonly identity: string | undefined;
  /** Which manifest of a multi-arch image; undefined where no signature is asked for. */
  readonly signedManifest: SignedManifest | undefined;
  readonly problems: readonly string[];
  readonly signatures: readonly CheckedSignature[];
  /** Why it is not met, one line each. */
  readonly reasons: readonly string[];
  /** Those of an anyOf. */
  readonly parts: readonly ExplainedRequirement[];
}

/** Puts together what an evaluation saw. `signatures` are the candidates that were found for it. */
export async function explain(
  policy: Policy,
  subject: PolicySubject,
  evaluation: Evaluation,
  signatures: readonly CandidateSignature[],
  configured: SignaturePlaces,
): Promise<Explanation> {
  const { verdict, rule, places } = evaluation;
  const { transport, policyIdentity } = subject;
  const [, ...shadowed] = coveringRules(policy, transport, policyIdentity);
  const also = alsoRules(policy, transport, policyIdentity);
  const found = [];
  for (const { bytes, source } of signatures)
    found.push({
      source,
      digest: sha256(bytes),
      untrustedClaims: await readUntrustedClaims(bytes),
    });
  return {
    manifestDigest: subject.manifestDigest,
    rule,
    also: also.map((one) => one.rule),
    shadowed: shadowed.map((one) => one.rule),
    requirements: evaluation.requirements.map(explained),
    places,
    found,
    verdict,
    systemVerdict: applySystemContainerRule(verdict, { allowUnsigned: false }),
    advice: adviceFor(policy, subject, evaluation, found, configured),
  };
}

function explained({ requirement, rule, result }: EvaluatedRequirement): ExplainedRequirement {
  const checks = result?.checks;
  const parts = requirement.type === 'anyOf' ? requirement.requirements : [];
  return {
    type: requirement.type,
    rule,
    result: result === undefined ? 'not looked at' : result.met ? 'met' : 'not met',
    wanted: checks?.wanted,
    signers: checks?.signers ?? [],
    identity: checks?.identity,
    signedManifest: 'signedManifest' in requirement ? requirement.signedManifest : undefined,
    problems: checks?.problems ?? [],
    signatures: checks?.signatures ?? [],
    reasons: result === undefined || result.met ? [] : result.reasons,
    parts: parts.map((part, n) =>
      explained({ requirement: part, rule, result: result?.parts?.[n] }),
    ),
  };
}
