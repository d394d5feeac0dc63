// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../base/strict-json.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { EditSession } from './edit-session.ts';
import { requirementFor, type WantedSigners } from './plan-edit.ts';

/** What a scope of trust.d is to ask for, as the command line names it. */
export interface WantedTrust {
  /** None where only other things are asked for. */
  readonly signers: readonly WantedSigners[];
  /** How many of the signers; undefined for one of one kind. */
  readonly min: number | undefined;
  readonly signedIdentity: JsonObject | undefined;
  readonly signedManifest: string | undefined;
  readonly attested: WantedAttestation | undefined;
  readonly signedWithinDays: number | undefined;
  readonly noDowngrade: boolean;
}

export interface WantedAttestation {
  readonly predicateType: string;
  /** With a `*` they are patterns. */
  readonly builder: string | undefined;
  readonly source: string | undefined;
}

/** Whether policy.json has no words for it. */
export function needsTrustD(wanted: WantedTrust): boolean {
  const { signers, min, signedManifest, attested, signedWithinDays, signedIdentity } = wanted;
  return (
    min !== undefined ||
    signedManifest !== undefined ||
    attested !== undefined ||
    signedWithinDays !== undefined ||
    wanted.noDowngrade ||
    signedIdentity?.['type'] === 'matchDigest' ||
    signers.some(({ kind }) => kind === 'certified')
  );
}

/**
 * The requirements as sysct.trust.d(5) writes them; keys that have to be copied are noted as changes.
 * @param part in `also`, signers of an attestation need not have signed the image, too
 * @throws UsageError for files that hold no such keys, and signers that make no attestations
 */
export async function trustDRequirements(
  session: EditSession,
  wanted: WantedTrust,
  part: 'admit' | 'also',
  keyInPlace: boolean,
): Promise<readonly JsonObject[]> {
  const { min, signedIdentity, signedManifest, attested, signedWithinDays, noDowngrade } = wanted;
  const signers = min === undefined ? wanted.signers : wanted.signers.flatMap(oneByOne);
  const which = signedManifest === undefined ? {} : { signedManifest };
  const signed: JsonObject[] = [];
  for (const one of signers) {
    const requirement = await requirementFor(session, one, signedIdentity, keyInPlace);
    signed.push(one.kind === 'anything' ? requirement : { ...requirement, ...which });
  }
  if (min !== undefined && min > new Set(signed.map((one) => JSON.stringify(one))).size)
    throw new UsageError(`--min ${min} is more than the different keys there are`, {
      hint: 'each key counts once',
    });
  const signatures = min === undefined ? signed : [{ type: 'anyOf', min, requirements: signed }];
  return [
    ...(part === 'also' && attested !== undefined ? [] : signatures),
    ...(attested === undefined ? [] : [{ ...attestation(attested, signed), ...which }]),
    ...(signedWithinDays === undefined ? [] : [{ type: 'signedWithin', days: signedWithinDays }]),
    ...(noDowngrade ? [{ type: 'noDowngrade' }] : []),
  ];
}

/** Each key by itself: they are counted. */
function oneByOne(signers: WantedSigners): readonly WantedSigners[] {
  return signers.kind === 'gpg' || signers.kind === 'sigstore'
    ? signers.keys.map((key) => ({ ...signers, keys: [key] }))
    : [signers];
}

const SIGNER_KEYS: readonly string[] = ['keyPath', 'keyPaths', 'rekorPublicKeyPath', 'keyless'];

function attestation(
  { predicateType, builder, source }: WantedAttestation,
  signed: readonly JsonObject[],
): JsonObject {
  const [only, ...others] = signed;
  const isSigstore = only?.['type'] === 'sigstoreSigned' && !('fulcio' in only);
  if (!isSigstore || others.length > 0) {
    throw new UsageError(
      '--attested needs the one who attests: --sigstore-key, or --keyless with --trusted-root',
      { hint: 'keys of others that must sign go into another command: sysct trust require' },
    );
  }
  const signer = Object.fromEntries(
    Object.entries(only).filter(([name]) => SIGNER_KEYS.includes(name)),
  );
  return {
    type: 'attested',
    predicateType,
    signer,
    ...pattern('builder', builder),
    ...pattern('source', source),
  };
}

/** The member that holds a text, or a glob. */
export function pattern(name: string, text: string | undefined): JsonObject {
  if (text === undefined) return {};
  return { [text.includes('*') ? `${name}Pattern` : name]: text };
}
