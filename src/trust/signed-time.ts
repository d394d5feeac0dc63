// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../base/assert-never.ts';
import type { SignedWithinRequirement } from './policy/requirement.ts';
import { describeRule } from './verdict/describe-verdict.ts';
import type { RequirementResult } from './verdict/evaluation.ts';
import type { PolicyRule, SignatureOutcome } from './verdict/verdict.ts';

const DAY_MS = 86_400_000;

/**
 * The newest time that one of these signatures proves: what OpenPGP signed, what the log or a timestamp authority says, else what the signed
 * text claims. A time that lies more than a day ahead of this host's clock counts as none: it would make an
 * image fresh for ever, and all that come after it old.
 */
export function newestSignedTime(
  outcomes: readonly SignatureOutcome[],
  now: Date,
): Date | undefined {
  const times = outcomes
    .map(provenTime)
    .filter((time) => time !== undefined && time.getTime() <= now.getTime() + DAY_MS)
    .map((time) => time?.getTime() ?? 0);
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

function provenTime(outcome: SignatureOutcome): Date | undefined {
  const text = timeIn(outcome);
  return text === undefined ? undefined : new Date(text);
}

function timeIn(outcome: SignatureOutcome): string | undefined {
  switch (outcome.type) {
    case 'signedBy':
      return outcome.signedAt;
    case 'sigstoreSigned':
      return outcome.loggedAt ?? outcome.stampedAt ?? outcome.claimedAt;
    case 'attested':
      // It may be made anew every night, of however old an image.
      return undefined;
    default:
      return assertNever(outcome);
  }
}

/** Why no time is proved, to end a sentence with. */
export function unprovenTime(outcomes: readonly SignatureOutcome[]): string {
  return outcomes.length === 0
    ? 'no signature was asked for that could prove when'
    : 'no signature that counts proves when it was made';
}

/** @param counting all signatures that count for the image */
export function evaluateSignedWithin(
  { days }: SignedWithinRequirement,
  rule: PolicyRule,
  counting: readonly SignatureOutcome[],
  now: Date,
): RequirementResult {
  const newest = newestSignedTime(counting, now);
  const required = `the policy requires a signature of the last ${days} days (${describeRule(rule)})`;
  if (newest === undefined)
    return {
      met: false,
      reasons: [`${required}, but ${unprovenTime(counting)}`],
      hint: 'have it signed with gpg, or with sigstore and its log',
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
