// SPDX-License-Identifier: Apache-2.0
import { matchSigners } from './distinct-signers.ts';
import type { AnyOfRequirement, SignatureRequirement } from '../policy/requirement.ts';
import { signedTime } from './proven-time.ts';
import { unmetAnyOf } from './unmet-any-of.ts';
import type { RequirementResult } from '../verdict/evaluation.ts';
import type { PolicyRule, SignatureOutcome } from '../verdict/verdict.ts';

type Part = SignatureRequirement | AnyOfRequirement;

interface AnyOfQuestion {
  readonly rule: PolicyRule;
  /** Whether all signatures are wanted that count; where signers are counted they always are. */
  readonly wanted: 'one' | 'all';
  readonly now: Date;
}

/** Met when `min` of its requirements are, by as many different signers. */
export async function evaluateAnyOf(
  requirement: AnyOfRequirement,
  { rule, wanted, now }: AnyOfQuestion,
  evaluate: (part: Part, wanted: 'one' | 'all') => Promise<RequirementResult>,
): Promise<RequirementResult> {
  const { min, requirements } = requirement;
  const wantedOfParts = min > 1 ? 'all' : wanted;
  const parts: RequirementResult[] = [];
  for (const part of requirements) {
    const result = await evaluate(part, wantedOfParts);
    parts.push(result);
    if (result.met && wantedOfParts === 'one') break;
  }
  const met = parts.filter((part) => part.met);
  const groups = met.map((part) => part.counting);
  const outcomes = min > 1 ? matchSigners(groups) : met.slice(0, 1).map(({ outcome }) => outcome);
  const counting = min > 1 ? agreedOn(min, groups, now) : groups.flat();
  if (outcomes.length >= min)
    return { met: true, outcome: { type: 'anyOf', min, outcomes }, counting, parts };
  return { ...unmetAnyOf(requirement, rule, parts, outcomes.length), parts };
}

/**
 * The signatures that are not newer than what so many signers signed: fewer of them cannot make an old image new. Nor do they where
 * fewer prove a time.
 */
function agreedOn(
  min: number,
  groups: readonly (readonly SignatureOutcome[])[],
  now: Date,
): readonly SignatureOutcome[] {
  const timed = groups.map((group) =>
    group.flatMap((outcome) => {
      const time = signedTime(outcome, now)?.getTime();
      return time === undefined ? [] : [{ outcome, time }];
    }),
  );
  const notBefore = (time: number) =>
    timed.map((group) => group.filter((one) => one.time >= time).map(({ outcome }) => outcome));
  const times = new Set(timed.flat().map(({ time }) => time));
  const agreed = [...times]
    .toSorted((a, b) => b - a)
    .find((time) => matchSigners(notBefore(time)).length >= min);
  const old = timed.flat().filter(({ time }) => agreed !== undefined && time <= agreed);
  return old.map(({ outcome }) => outcome);
}
