// SPDX-License-Identifier: Apache-2.0
import type { AskedPlace } from '../../base/asked-place.ts';
import { printable } from '../../base/printable.ts';
import { describeRule } from './describe-verdict.ts';
import type { PolicySubject } from './evaluation.ts';
import type { SignatureChecks } from './signature-checks.ts';
import type { PolicyRule } from './verdict.ts';

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
