// SPDX-License-Identifier: Apache-2.0
import type { Policy } from './policy.ts';
import type { Requirement } from './requirement.ts';
import type { PolicyRule } from './verdict.ts';

/** The one rule that decides for an image. */
export interface ChosenRule {
  readonly rule: PolicyRule;
  readonly requirements: readonly Requirement[];
}

/**
 * The one list of requirements that applies: the identity itself, then its parent namespaces from
 * the most to the least specific, the transport's `""`, the policy's `default`. More general lists
 * are ignored completely (containers-policy.json(5) §TRANSPORTS AND SCOPES).
 */
export function chooseRule(policy: Policy, transport: string, policyIdentity: string): ChosenRule {
  const { requirements, line } = policy.default;
  const scope = policyIdentity === '' ? undefined : undefined;
  return { rule: { policyFile: policy.file, transport, scope, line }, requirements };
}

/** The scopes that are looked up for an identity, the identity first, without `""`. */
export function scopesFor(transport: string, policyIdentity: string): readonly string[] {
  return [transport, policyIdentity];
}
