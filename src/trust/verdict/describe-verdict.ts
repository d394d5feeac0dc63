// SPDX-License-Identifier: Apache-2.0
import { shortDigest } from '../../base/digest.ts';
import { printable, quote } from '../../base/printable.ts';
import { TrustError } from './trust-error.ts';
import { assertNever } from '../../base/assert-never.ts';
import type { PolicyRule, RequirementOutcome, SigstoreSigner, Verdict } from './verdict.ts';

export type Refusal = Extract<Verdict, { readonly allowed: false }>;

/**
 * One line for tables: `signed by 0123456789ABCDEF`, `signed by sha256:0123456789ab`, `signed by a@example.com`,
 * `unsigned (by default)`, `refused: …`. Fingerprints are cut; `inspect` has the whole.
 */
export function describeVerdict(verdict: Verdict): string {
  if (!verdict.allowed) return `refused: ${verdict.reasons[0] ?? 'by policy'}`;
  const signers = verdict.outcomes.flatMap(signersOf);
  if (signers.length > 0) return `signed by ${[...new Set(signers)].join(' and ')}`;
  const attesters = verdict.outcomes.flatMap((outcome) =>
    outcome.type === 'attested' ? [shortSigner(outcome.signer)] : [],
  );
  if (attesters.length > 0) return `attested by ${[...new Set(attesters)].join(' and ')}`;
  return verdict.unsigned === 'by-scope' ? 'unsigned (by scope)' : 'unsigned (by default)';
}

function signersOf(outcome: RequirementOutcome): readonly string[] {
  switch (outcome.type) {
    case 'insecureAcceptAnything':
      return [];
    case 'signedBy':
      return [outcome.keyFingerprint.slice(-16)];
    case 'sigstoreSigned':
      return [shortSigner(outcome.signer)];
    case 'anyOf':
      return outcome.outcomes.flatMap(signersOf);
    case 'signedWithin':
    case 'noDowngrade':
    case 'attested':
      return [];
    default:
      return assertNever(outcome);
  }
}

function shortSigner(signer: SigstoreSigner): string {
  return signer.kind === 'key'
    ? `sha256:${shortDigest(signer.keyFingerprint)}`
    : signer.names.map(printable).join(' and ');
}

/** The rule in words: `/etc/containers/policy.json:7, transport docker, scope "quay.io/x"`. */
export function describeRule(rule: PolicyRule): string {
  const place = rule.line === undefined ? rule.policyFile : `${rule.policyFile}:${rule.line}`;
  if (rule.scope === undefined) return `${place}, default`;
  const transport = `${rule.also === true ? 'also for ' : ''}transport ${rule.transport}`;
  const scope = rule.scope === '' ? 'default of the transport' : `scope ${quote(rule.scope)}`;
  return `${place}, ${transport}, ${scope}`;
}

/**
 * A refusing verdict as an error.
 * @param what was asked for, `docker://quay.io/coreos/etcd:v3.5`
 */
export function refusal(verdict: Refusal, what: string): TrustError {
  const message = `${what} is refused by policy: ${verdict.reasons.join('; ')}`;
  return new TrustError(
    'REFUSED',
    message,
    verdict.hint === undefined ? {} : { hint: verdict.hint },
  );
}
