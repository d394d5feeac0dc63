// SPDX-License-Identifier: Apache-2.0
import type { SignedWithinRequirement } from '../policy/requirement.ts';
import { agreedTime, PROVE_TIME, unprovenTime } from './proven-time.ts';
import { describeRule } from '../verdict/describe-verdict.ts';
import type { RequirementResult } from '../verdict/evaluation.ts';
import type { PolicyRule, SignatureOutcome } from '../verdict/verdict.ts';

const DAY_MS = 86_400_000;

/** @param counting all signatures that count for the image, by requirement */
export function evaluateSignedWithin(
  { days }: SignedWithinRequirement,
  rule: PolicyRule,
  counting: readonly (readonly SignatureOutcome[])[],
  now: Date,
): RequirementResult {
  const newest = agreedTime(counting, now);
  const required = `the policy requires a signature of the last ${days} days (${describeRule(rule)})`;
  if (newest === undefined)
    return {
      met: false,
      reasons: [`${required}, but ${unprovenTime(counting)}`],
      hint: PROVE_TIME,
    };
  const age = Math.floor((now.getTime() - newest.getTime()) / DAY_MS);
  if (now.getTime() - newest.getTime() > days * DAY_MS)
    return {
      met: false,
      reasons: [`${required}, but the newest is of ${newest.toISOString()}, ${age} days ago`],
      hint: 'have it signed anew, or take a newer image',
    };
  const outcome = { type: 'signedWithin' as const, days, signedAt: newest.toISOString() };
  return { met: true, outcome, counting: [] };
}
