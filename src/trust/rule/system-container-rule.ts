// SPDX-License-Identifier: Apache-2.0
//
// What a host starts as root before anything else deserves more than "nobody said no". So an image
// that only a *default* admits unproved needs the operator's word. A default is the policy's own
// `default`, or a transport's `""`; but not the `""` of a transport that has no narrower scope, where
// it is the only way for a policy to say yes.
import { hasOnlyDefaultScope } from '../policy/policy-scope.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import type { PolicyRule, RequirementOutcome, Verdict } from '../verdict/verdict.ts';

/** How an image came in without proof; undefined when at least one requirement proved something. */
export function unsignedAdmission(
  rule: PolicyRule,
  outcomes: readonly RequirementOutcome[],
): 'by-default' | 'by-scope' | undefined {
  if (outcomes.some((outcome) => outcome.type !== 'insecureAcceptAnything')) return undefined;
  const isDefault =
    rule.scope === undefined || (rule.scope === '' && !hasOnlyDefaultScope(rule.transport));
  return isDefault ? 'by-default' : 'by-scope';
}

/**
 * The one rule of our own (design §8): for `install --system` an image that only a *default*
 * `insecureAcceptAnything` lets in is refused, unless the operator says `--allow-unsigned`.
 * Returns the verdict itself, or a refusal in its place.
 */
export function applySystemContainerRule(
  verdict: Verdict,
  options: { readonly allowUnsigned: boolean },
): Verdict {
  if (!verdict.allowed || verdict.unsigned !== 'by-default' || options.allowUnsigned)
    return verdict;
  return {
    allowed: false,
    rule: verdict.rule,
    reasons: [
      `it is admitted only by a default insecureAcceptAnything (${describeRule(verdict.rule)}), ` +
        'which is not enough for a system container',
    ],
    hint: `require signatures for it in ${verdict.rule.policyFile}, or give --allow-unsigned`,
    manifestDigest: verdict.manifestDigest,
  };
}
