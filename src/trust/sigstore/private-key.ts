// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, type KeyObject, scryptSync, sign } from 'node:crypto';
import { printable } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { SIGSTORE_SIGNATURE_TYPE, type SigstoreAttachment } from '../lookaside/sigstore-json.ts';
import { decodeBase64 } from '../policy/strict-base64.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { readPemBlocks } from './pem.ts';
import { describeKey } from './public-key.ts';
import { openSecretbox } from './secretbox.ts';

const COSIGN_LABELS: readonly string[] = [
  'ENCRYPTED SIGSTORE PRIVATE KEY',
  'ENCRYPTED COSIGN PRIVATE KEY',
];
/** scrypt as cosign uses it takes 64 MiB. */
const MAX_SCRYPT_BYTES = 512 * 1024 * 1024;

/**
 * Reads a private key: PKCS#8, encrypted or not, or cosign's own encrypted form, which skopeo writes too.
 * @param source the file, for messages
 * @throws TrustError INVALID_KEYS
 */
export function parsePrivateKeyFile(
  bytes: Buffer,
  source: string,
  passphrase: string | undefined,
): KeyObject {
  const what = `private key ${printable(source)}`;
  const [block, ...more] = readPemBlocks(bytes.toString('latin1')) ?? [];
  if (block === undefined || more.length > 0) throw invalid(`${what}: is not one key in PEM`);
  if (block.label.endsWith('PUBLIC KEY'))
    throw new TrustError('INVALID_KEYS', `${what}: is a public key`, {
      hint: 'name the private key that it belongs to',
    });
  const isCosign = COSIGN_LABELS.includes(block.label);
  if ((isCosign || block.label.startsWith('ENCRYPTED ')) && passphrase === undefined)
    throw new TrustError('INVALID_KEYS', `${what}: is encrypted`, {
      hint: 'put its passphrase into a file and name that with --passphrase-file',
    });
  try {
    const key = isCosign
      ? createPrivateKey({
          key: decrypt(block.der, passphrase ?? '', what),
          format: 'der',
          type: 'pkcs8',
        })
      : createPrivateKey({
          key: bytes,
          format: 'pem',
          ...(passphrase === undefined ? {} : { passphrase }),
        });
    assertAccepted(key, what, source);
    return key;
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    throw new TrustError(
      'INVALID_KEYS',
      `${what}: cannot be read: ${printable(messageOf(cause))}`,
      {
        cause,
        hint: 'check the file and its passphrase',
      },
    );
  }
}

/** What no verifier would take need not be signed with. */
function assertAccepted(key: KeyObject, what: string, source: string): void {
  try {
    describeKey(createPublicKey(key), source);
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new TrustError('INVALID_KEYS', `${what}: is ${cause.message}`, { cause });
  }
}

/** Signs a payload: a signature as cosign attaches it. */
export function signPayload(key: KeyObject, payload: Buffer): SigstoreAttachment {
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(hash, payload, key).toString('base64');
  return {
    mimeType: SIGSTORE_SIGNATURE_TYPE,
    payload,
    annotations: { 'dev.cosignproject.cosign/signature': signature },
  };
}

// {"kdf": {"name": "scrypt", "params": {N, r, p}, "salt"}, "cipher": {"name": "nacl/secretbox", "nonce"}, "ciphertext"}
function decrypt(json: Buffer, passphrase: string, what: string): Buffer {
  const { kdf, cipher, ciphertext } = members(parse(json, what));
  const { name: kdfName, params, salt } = members(kdf);
  const { name: cipherName, nonce } = members(cipher);
  if (kdfName !== 'scrypt' || cipherName !== 'nacl/secretbox')
    throw invalid(`${what}: is encrypted in an unknown way`);
  const { N, r, p } = members(params);
  if (typeof N !== 'number' || typeof r !== 'number' || typeof p !== 'number')
    throw invalid(`${what}: has no parameters of scrypt`);
  const options = { N, r, p, maxmem: MAX_SCRYPT_BYTES };
  const key = scryptSync(passphrase, bytesOf(salt, what), 32, options);
  const opened = openSecretbox(key, bytesOf(nonce, what), bytesOf(ciphertext, what));
  if (opened !== undefined) return opened;
  throw new TrustError('INVALID_KEYS', `${what}: the passphrase does not open it`, {
    hint: 'check the first line of the passphrase file',
  });
}

function parse(json: Buffer, what: string): JsonValue {
  try {
    return parseStrictJsonValue(json.toString('utf8'), what);
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
    throw new TrustError('INVALID_KEYS', cause.message, { cause });
  }
}

function members(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return isJsonObject(value) ? value : {};
}

function bytesOf(value: JsonValue | undefined, what: string): Buffer {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined) throw invalid(`${what}: holds something that is not base64`);
  return bytes;
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_KEYS', seen);
}
