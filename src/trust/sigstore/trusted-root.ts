// SPDX-License-Identifier: Apache-2.0
//
// The trusted root of a sigstore instance (protobuf-specs sigstore_trustroot.proto, in JSON): the file that
// `cosign trusted-root create` makes and TUF hands out. Here it is a file on the host and never fetched.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { printable } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { type Complaint, UntrustedDocument } from './untrusted-document.ts';

/** When something was in use; undefined for "always before" and "still". */
export interface Period {
  readonly start: Date | undefined;
  readonly end: Date | undefined;
}

/** A log of signatures or of certificates. */
export interface TransparencyLog {
  /** The IDs that entries, checkpoints and promises name it by; empty where every entry may be its own. */
  readonly ids: readonly Buffer[];
  readonly key: KeyObject;
  readonly inUse: Period;
}

export interface CertificateAuthority {
  /** The first issuer, then its own, up to the root; for timestamps the certificate that signs them comes first. */
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly inUse: Period;
}

export interface TrustedRoot {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly logs: readonly TransparencyLog[];
  readonly authorities: readonly CertificateAuthority[];
  /** Logs of certificates. */
  readonly certificateLogs: readonly TransparencyLog[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
}

export function isWithin({ start, end }: Period, time: Date): boolean {
  return (start === undefined || time >= start) && (end === undefined || time <= end);
}

const MEDIA_TYPE =
  /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/;
const MAX_MEMBERS = 256;

/**
 * Parses a trusted root. Members that we do not read are passed over: later versions say more.
 * @throws TrustError INVALID_KEYS
 */
export function parseTrustedRoot(bytes: Buffer, source: string): TrustedRoot {
  const complain: Complaint = (seen) =>
    new TrustError('INVALID_KEYS', `${printable(source)} is no trusted root: ${seen}`, {
      hint: 'make one with: cosign trusted-root create',
    });
  const root = UntrustedDocument.parse(bytes, 'trusted root', complain);
  const mediaType = root.member('mediaType');
  if (!MEDIA_TYPE.test(mediaType.text())) mediaType.fail('is not that of version 0.1 or 0.2');
  const all = (key: string) => root.optional(key)?.list(MAX_MEMBERS) ?? [];
  const authorities = all('certificateAuthorities').map(parseAuthority);
  if (authorities.length === 0) throw complain('it has no certificate authority');
  return {
    source,
    logs: all('tlogs').map(parseLog),
    authorities,
    certificateLogs: all('ctlogs').map(parseLog),
    timestampAuthorities: all('timestampAuthorities').map(parseAuthority),
  };
}

function parseLog(log: UntrustedDocument): TransparencyLog {
  const key = log.member('publicKey');
  const ids = [log.optional('logId'), log.optional('checkpointKeyId')]
    .filter((id) => id !== undefined)
    .map((id) => id.member('keyId').bytes());
  if (ids.length === 0) log.fail('has no logId');
  return { ids, key: publicKeyOf(key), inUse: periodOf(key) };
}

function publicKeyOf(key: UntrustedDocument): KeyObject {
  const der = key.member('rawBytes').bytes();
  const isPkcs1 = key.optional('keyDetails')?.text().startsWith('PKCS1_') === true;
  const type = isPkcs1 ? 'pkcs1' : 'spki';
  try {
    return createPublicKey({ key: der, format: 'der', type });
  } catch (error) {
    return key.fail(`cannot be read: ${printable(messageOf(error))}`);
  }
}

function parseAuthority(authority: UntrustedDocument): CertificateAuthority {
  const list = authority.member('certChain').member('certificates');
  const [first, ...more] = list.list(MAX_MEMBERS).map((certificate) => {
    try {
      return parseCertificate(certificate.member('rawBytes').bytes());
    } catch (error) {
      if (!(error instanceof TrustError) || error.code !== 'BAD_SIGNATURE') throw error;
      return certificate.fail(error.message);
    }
  });
  if (first === undefined) return list.fail('is empty');
  return { chain: [first, ...more], inUse: periodOf(authority) };
}

function periodOf(owner: UntrustedDocument): Period {
  const period = owner.optional('validFor');
  if (period === undefined) return { start: undefined, end: undefined };
  // A period without its start is a document that lost something, and no "always before".
  return { start: period.member('start').time(), end: period.optional('end')?.time() };
}
