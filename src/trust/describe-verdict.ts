// SPDX-License-Identifier: Apache-2.0
import { TrustError } from './trust-error.ts';
import type { PolicyRule, Verdict } from './verdict.ts';

/** One line for tables: `signed by 0123ABCD… for quay.io/x:1 (docker quay.io/x)`, `unsigned, by default`, `refused: …`. */
export function describeVerdict(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : 'refused';
}

/** The rule in words: `/etc/containers/policy.json:7, transport docker, scope "quay.io/x"`. */
export function describeRule(rule: PolicyRule): string {
  return rule.policyFile;
}

/** A refusing verdict as the error REFUSED, all reasons in its message, the next step as its hint. */
export function refusal(verdict: Extract<Verdict, { allowed: false }>, what: string): TrustError {
  return new TrustError('REFUSED', `${what}: ${verdict.reasons.join('; ')}`);
}
