// SPDX-License-Identifier: Apache-2.0
import { matchSigners } from './distinct-signers.ts';
import type { AnyOfRequirement, SignatureRequirement } from './policy/requirement.ts';
import { describeRule } from './verdict/describe-verdict.ts';
import type { RequirementResult } from './verdict/evaluation.ts';
import type { PolicyRule } from './verdict/verdict.ts';

type Part = SignatureRequirement | AnyOfRequirement;

/**
 * Met when `min` of its requirements are, by as many different signers.
 * @param wanted whether all signatures are wanted that count; where signers are counted they always are
 */
export async function evaluateAnyOf(
  { min, requirements }: AnyOfRequirement,
  rule: PolicyRule,
  wanted: 'one' | 'all',
  evaluate: (part: Part, wanted: 'one' | 'all') => Promise<RequirementResult>,
): Promise<RequirementResult> {
  const wantedOfParts = min > 1 ? 'all' : wanted;
  const parts: RequirementResult[] = [];
  for (const part of requirements) {
    const result = await evaluate(part, wantedOfParts);
    parts.push(result);
    if (result.met && wantedOfParts === 'one') break;
  }
  const met = parts.filter((part) => part.met);
  const counting = met.flatMap((part) => part.counting);
  const outcomes =
    min > 1
      ? matchSigners(met.map((part) => part.counting))
      : met.slice(0, 1).map(({ outcome }) => outcome);
  if (outcomes.length >= min)
    return { met: true, outcome: { type: 'anyOf', min, outcomes }, counting, parts };
  return { met: false, ...unmetReasons(min, requirements, rule, parts, outcomes.length), parts };
}

function unmetReasons(
  min: number,
  requirements: readonly Part[],
  rule: PolicyRule,
  parts: readonly RequirementResult[],
  signers: number,
): { readonly reasons: readonly string[]; readonly hint: string } {
  const of = `${min} of ${requirements.length} requirements`;
  const met = parts.filter((part) => part.met).length;
  const seen =
    met >= min
      ? `${met} are met by ${signers} signer${signers === 1 ? '' : 's'} alone: each counts once`
      : `${met === 0 ? 'none is' : `only ${met} ${met === 1 ? 'is' : 'are'}`} met`;
  const by = min > 1 ? ', each by another signer,' : '';
  return {
    reasons: [
      `the policy requires ${of}${by} to be met (${describeRule(rule)}), and ${seen}`,
      ...parts.flatMap((part, n) =>
        part.met ? [] : part.reasons.map((reason) => `requirement ${n + 1}: ${reason}`),
      ),
    ],
    hint: 'have it signed by more of the accepted signers, or correct the policy',
  };
}
