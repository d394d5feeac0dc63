// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Digest, sha256 } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { readPemBlocks } from './pem.ts';

/** A key that the policy names. */
export interface TrustedPublicKey {
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  /** sha256 of `spki`. */
  readonly fingerprint: Digest;
  /** `ECDSA P-256`, `RSA 3072`, `Ed25519`. */
  readonly algorithm: string;
  /** The file, or `keyData`. */
  readonly source: string;
}

const CURVES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);
const LEAST_RSA_BITS = 2048;

/**
 * Reads the one public key of a PEM file (`PUBLIC KEY`, or `RSA PUBLIC KEY`).
 * @throws TrustError INVALID_KEYS
 */
export function parsePublicKeyFile(bytes: Buffer, source: string): TrustedPublicKey {
  const blocks = readPemBlocks(bytes.toString('latin1'));
  const [block] = blocks ?? [];
  const hint = `export it with: cosign public-key, or openssl pkey -pubout`;
  const refuse = (seen: string, cause?: unknown) =>
    new TrustError('INVALID_KEYS', `${printable(source)} ${seen}`, { hint, cause });
  if (block === undefined || blocks === undefined) throw refuse('holds no public key in PEM');
  if (blocks.length > 1)
    throw new TrustError('INVALID_KEYS', `${printable(source)} holds ${blocks.length} PEM blocks`, {
      hint: 'put each key into a file of its own and name them in keyPaths',
    });
  const { label, der } = block;
  if (label !== 'PUBLIC KEY' && label !== 'RSA PUBLIC KEY')
    throw refuse(`holds a ${label}, not a public key`);
  try {
    const type = label === 'PUBLIC KEY' ? 'spki' : 'pkcs1';
    return describeKey(createPublicKey({ key: der, format: 'der', type }), source);
  } catch (cause) {
    if (cause instanceof TrustError) throw refuse(`holds a key that is ${cause.message}`, cause);
    throw refuse(`holds a public key that cannot be read: ${printable(messageOf(cause))}`, cause);
  }
}

/**
 * What is to be known of a key: its fingerprint and kind.
 * @throws TrustError INVALID_KEYS for a kind or size that is not accepted; the message says what it is
 */
export function describeKey(key: KeyObject, source: string): TrustedPublicKey {
  const algorithm = algorithmOf(key);
  const spki = inOneForm(key).export({ type: 'spki', format: 'der' });
  return { key, spki, fingerprint: sha256(spki), algorithm, source };
}

// A point of a curve can be written in full or compressed, and is exported as it came: one key would count as two.
function inOneForm(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ec') return key;
  try {
    return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
  } catch {
    // OpenSSL reads a key whose point is at infinity, which nobody can have made.
    throw unfit('no point of its curve');
  }
}

/**
 * Whether `signature` is the key's own over `data`: ECDSA and RSA PKCS#1 v1.5 with SHA-256, Ed25519 over the data itself.
 */
export function isSignedBy(
  { key }: Pick<TrustedPublicKey, 'key'>,
  data: Buffer,
  signature: Buffer,
): boolean {
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return verify(hash, data, key, signature);
}

/** `sha256:… (ECDSA P-256) from /etc/pki/x.pub`, for messages. */
export function describePublicKey({ fingerprint, algorithm, source }: TrustedPublicKey): string {
  return `${fingerprint} (${algorithm}) from ${printable(source)}`;
}

function algorithmOf(key: KeyObject): string {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const curve = CURVES.get(namedCurve);
      if (curve === undefined) throw unfit(`of the curve ${namedCurve}, which is not accepted`);
      return `ECDSA ${curve}`;
    }
    case 'rsa':
      if (modulusLength < LEAST_RSA_BITS)
        throw unfit(`RSA of ${modulusLength} bits, fewer than ${LEAST_RSA_BITS}`);
      return `RSA ${modulusLength}`;
    case 'ed25519':
      return 'Ed25519';
    default:
      throw unfit(`of the kind ${key.asymmetricKeyType}, which is not accepted`);
  }
}

function unfit(seen: string): TrustError {
  return new TrustError('INVALID_KEYS', seen);
}
