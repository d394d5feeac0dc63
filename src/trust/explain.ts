// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { type Advice, adviceFor, type SignaturePlaces } from './advice.ts';
import type { Evaluation } from './evaluate.ts';
import type { CandidateSignature } from './lookaside/signature-source.ts';
import type { Policy } from './policy/policy.ts';
import type { Requirement } from './policy/requirement.ts';
import { coveringRules } from './policy/scope-lookup.ts';
import { type FoundSignature, readUntrustedClaims } from './review/untrusted-claims.ts';
import { applySystemContainerRule } from './system-container-rule.ts';
import type { PolicySubject } from './verdict/evaluation.ts';
import type { AskedPlace, CheckedSignature } from './verdict/signature-checks.ts';
import type { PolicyRule, Verdict } from './verdict/verdict.ts';

/** All that can be said of why an image is admitted or refused. */
export interface Explanation {
  readonly manifestDigest: Digest;
  readonly rule: PolicyRule;
  /** The rules that would decide if those before them were not there, the next one first. */
  readonly shadowed: readonly PolicyRule[];
  readonly requirements: readonly ExplainedRequirement[];
  readonly places: readonly AskedPlace[];
  /** What was found, in the order that each requirement's `signatures` have. Nothing of it is verified. */
  readonly found: readonly FoundSignature[];
  readonly verdict: Verdict;
  /** What `install --system` makes of it. */
  readonly systemVerdict: Verdict;
  /** What to do, if anything is to be done. */
  readonly advice: readonly Advice[];
}

export interface ExplainedRequirement {
  readonly type: Requirement['type'];
  /** Not looked at: one before it is not met. */
  readonly result: 'met' | 'not met' | 'not looked at';
  readonly wanted: string | undefined;
  readonly signers: readonly string[];
  readonly identity: string | undefined;
  readonly problems: readonly string[];
  readonly signatures: readonly CheckedSignature[];
  /** Why it is not met, one line each. */
  readonly reasons: readonly string[];
}

/** Puts together what an evaluation saw. `signatures` are the candidates that were found for it. */
export async function explain(
  policy: Policy,
  subject: PolicySubject,
  evaluation: Evaluation,
  signatures: readonly CandidateSignature[],
  configured: SignaturePlaces,
): Promise<Explanation> {
  const { verdict, places } = evaluation;
  const [, ...shadowed] = coveringRules(policy, subject.transport, subject.policyIdentity);
  const found = [];
  for (const { bytes, source } of signatures)
    found.push({ source, untrustedClaims: await readUntrustedClaims(bytes) });
  return {
    manifestDigest: subject.manifestDigest,
    rule: verdict.rule,
    shadowed: shadowed.map(({ rule }) => rule),
    requirements: evaluation.requirements.map(explained),
    places,
    found,
    verdict,
    systemVerdict: applySystemContainerRule(verdict, { allowUnsigned: false }),
    advice: adviceFor(subject, evaluation, found, configured),
  };
}

function explained({
  requirement,
  result,
}: Evaluation['requirements'][number]): ExplainedRequirement {
  const checks = result?.checks;
  return {
    type: requirement.type,
    result: result === undefined ? 'not looked at' : result.met ? 'met' : 'not met',
    wanted: checks?.wanted,
    signers: checks?.signers ?? [],
    identity: checks?.identity,
    problems: checks?.problems ?? [],
    signatures: checks?.signatures ?? [],
    reasons: result === undefined || result.met ? [] : result.reasons,
  };
}
