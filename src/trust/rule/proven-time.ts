// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import type { SignatureOutcome } from '../verdict/verdict.ts';

const DAY_MS = 86_400_000;

/**
 * The time that the signatures of several requirements prove: the newest of each requirement, and of these the earliest. Whoever can
 * sign for one of them alone makes nothing fresh, so that there is none where one of them proves none.
 */
export function agreedTime(
  requirements: readonly (readonly SignatureOutcome[])[],
  now: Date,
): Date | undefined {
  const times = requirements.map((outcomes) => newestSignedTime(outcomes, now)?.getTime());
  const proved = times.filter((time) => time !== undefined);
  if (proved.length === 0 || proved.length < times.length) return undefined;
  return new Date(Math.min(...proved));
}

/** The newest time that one of these signatures proves. */
export function newestSignedTime(
  outcomes: readonly SignatureOutcome[],
  now: Date,
): Date | undefined {
  const times = outcomes
    .map((outcome) => signedTime(outcome, now)?.getTime())
    .filter((time) => time !== undefined);
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

/**
 * The time that a signature proves: what OpenPGP signed; what a log or a timestamp authority says of one by a certificate; else what the
 * signed text claims. A time that lies more than a day ahead of this host's clock counts as none: it would make an
 * image fresh for ever, and all that come after it old.
 */
export function signedTime(outcome: SignatureOutcome, now: Date): Date | undefined {
  const text = timeIn(outcome);
  const time = text === undefined ? undefined : new Date(text);
  return time !== undefined && time.getTime() <= now.getTime() + DAY_MS ? time : undefined;
}

function timeIn(outcome: SignatureOutcome): string | undefined {
  switch (outcome.type) {
    case 'signedBy':
      return outcome.signedAt;
    case 'sigstoreSigned':
      return witnessedTime(outcome) ?? outcome.claimedAt;
    case 'attested':
      // It may be made anew every night, of however old an image.
      return undefined;
    default:
      return assertNever(outcome);
  }
}

/**
 * Anybody can have an old signature logged or stamped today, and again under another form of itself: a witness proves that it was made before.
 * That it was not made long before, only a certificate proves which had just begun to be valid.
 */
function witnessedTime({
  signer,
  loggedAt,
  stampedAt,
}: Extract<SignatureOutcome, { readonly type: 'sigstoreSigned' }>): string | undefined {
  const witnessed = loggedAt ?? stampedAt;
  if (witnessed === undefined || signer.kind === 'key' || signer.validFrom === undefined)
    return undefined;
  const age = new Date(witnessed).getTime() - new Date(signer.validFrom).getTime();
  return age <= DAY_MS ? witnessed : undefined;
}

/** Why no time is proved, to end a sentence with. */
export function unprovenTime(requirements: readonly (readonly SignatureOutcome[])[]): string {
  if (requirements.length === 0) return 'no signature was asked for that could prove when';
  const each = requirements.length === 1 ? '' : 'for one of the requirements ';
  return `${each}no signature that counts proves when it was made`;
}

/** What to do where no time is proved. */
export const PROVE_TIME =
  'have it signed with gpg, with sysct sign, or with sigstore by a certificate';
