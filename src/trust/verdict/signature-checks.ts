// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { AskedPlace } from '../../base/asked-place.ts';
import { printable } from '../../base/printable.ts';
import { describeRule } from './describe-verdict.ts';
import type { PolicySubject } from './evaluation.ts';
import type { TrustErrorCode } from './trust-error.ts';
import type { PolicyRule, SignatureOutcome } from './verdict.ts';

/** One signature that was found, and what came of it. */
export interface CheckedSignature {
  /** Where it was found. */
  readonly source: string;
  /** Of its bytes; a registry may give two the same source. */
  readonly digest: Digest;
  readonly result:
    | { readonly kind: 'counts'; readonly outcome: SignatureOutcome }
    /** The reason follows the source in a sentence: `was made by key …, which is none of …`. */
    | { readonly kind: 'refused'; readonly code: TrustErrorCode; readonly reason: string }
    /** Of a kind that the requirement does not ask for, or not needed any more. */
    | { readonly kind: 'passed-over'; readonly reason: string };
}

/** How a requirement that asks for a signature looked at what was found; its verdict's reasons are made from it. */
export interface SignatureChecks {
  /** `a GPG signature` */
  readonly wanted: string;
  /** What was not done with the image: the signature or the attestation is missing. */
  readonly toBe: 'signed' | 'attested';
  /** Who may sign, one each: `0123… "Alice <a@example.com>" from /etc/pki/a.gpg`. */
  readonly signers: readonly string[];
  /** What the signature must be for: `quay.io/coreos/etcd:v3 (matchRepoDigestOrExact)`. */
  readonly identity: string;
  /** Key sources that hold nothing usable, one line each. */
  readonly problems: readonly string[];
  readonly signatures: readonly CheckedSignature[];
}

// A refusal is read by people.
const MAX_EXPLAINED = 8;

/** Why signatures did not meet a requirement, one line each. */
export function unmetReasons(
  checks: SignatureChecks,
  rule: PolicyRule,
  places: readonly AskedPlace[],
  subject: PolicySubject,
): { readonly reasons: readonly string[]; readonly hint: string } {
  const required = `the policy requires ${checks.wanted} (${describeRule(rule)})`;
  const failures = checks.signatures.flatMap(({ source, result }) =>
    result.kind === 'refused' ? [`signature ${printable(source)} ${result.reason}`] : [],
  );
  const others = checks.signatures.length - failures.length;
  const unread = others === 0 ? '' : ` (${others} of another kind)`;
  const rest = [
    `accepted signers: ${checks.signers.join(', ')}`,
    ...checks.problems.map((problem) => `not usable as a key: ${problem}`),
  ];
  if (failures.length === 0) {
    const asked = places.map(({ place, answer }) => `looked at ${printable(place)}: ${answer}`);
    return {
      reasons: [`${required}, but ${subject.manifestDigest} has none${unread}`, ...asked, ...rest],
      hint:
        subject.transport === 'docker'
          ? `have the image ${checks.toBe}, and that put where it was looked for; "sysct trust explain" says what else would admit it`
          : `have the image ${checks.toBe}, or take it from where its signatures are`,
    };
  }
  const which = failures.length === 1 ? 'the one found fails' : `all ${failures.length} found fail`;
  const shown = failures.slice(0, MAX_EXPLAINED);
  if (failures.length > MAX_EXPLAINED) shown.push(`and ${failures.length - MAX_EXPLAINED} more`);
  return {
    reasons: [`${required}, and ${which}${unread}`, ...shown, ...rest],
    hint:
      checks.toBe === 'signed'
        ? 'have it signed by an accepted signer for the name asked for, or correct the policy: "sysct trust explain" says how'
        : 'have it attested by an accepted signer as the policy asks for, or correct the policy',
  };
}
