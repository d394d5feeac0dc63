// SPDX-License-Identifier: Apache-2.0
//
// What cosign calls a bundle: an entry of the transparency log Rekor, with the log's promise (signed entry
// timestamp) that it took it in. The promise alone says nothing about the signature at hand: a thief copies it
// from any other. So the entry must speak of the same key or certificate, the same signature and the same payload.
import { createHash, type KeyObject } from 'node:crypto';
import { quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { decodeCanonicalBase64 } from './canonical-base64.ts';
import { readOnlyPemBlocks } from './pem.ts';
import { isSignedBy } from './public-key.ts';
import { isWithin, type Period } from './trusted-root.ts';

/** A log, by its key alone or as a trusted root describes it. */
export interface RekorLog {
  readonly key: KeyObject;
  readonly inUse?: Period;
}

/** What the entry must be about. */
export interface LoggedSignature {
  /** Of the public key (SubjectPublicKeyInfo) or of the certificate. */
  readonly signerDer: Buffer;
  readonly signature: Buffer;
  readonly payload: Buffer;
}

/** An entry that one of the accepted logs signed. */
export interface RekorEntry {
  /** When the log took it in. */
  readonly integratedAt: Date;
  /** Of the key or certificate that it speaks of. */
  readonly signerDer: Buffer;
  readonly signature: Buffer;
  /** Lower-case hex. */
  readonly payloadSha256: string;
}

/**
 * Reads the annotation `dev.sigstore.cosign/bundle` and verifies the log's signature. Kind `hashedrekord` 0.0.1 only.
 * @throws TrustError BAD_SIGNATURE
 */
export function verifyRekorEntry(text: string, logs: readonly RekorLog[]): RekorEntry {
  const { body, integratedAt } = verifyRekorPromise(text, logs);
  return { ...parseBody(body), integratedAt };
}

/**
 * As {@link verifyRekorEntry}, for entries of any kind.
 * @returns what was logged, and when
 * @throws TrustError BAD_SIGNATURE
 */
export function verifyRekorPromise(
  text: string,
  logs: readonly RekorLog[],
): { readonly body: Buffer; readonly integratedAt: Date } {
  const bundle = closed(parse(text), ['SignedEntryTimestamp', 'Payload'], 'it');
  const promise = bytesOf(bundle['SignedEntryTimestamp'], 'SignedEntryTimestamp');
  const payload = closed(
    bundle['Payload'],
    ['body', 'integratedTime', 'logIndex', 'logID'],
    'Payload',
  );
  const { body, integratedTime, logIndex, logID } = payload;
  if (typeof body !== 'string' || typeof logID !== 'string') throw bad('Payload is malformed');
  if (!isWhole(integratedTime) || !isWhole(logIndex)) throw bad('Payload is malformed');
  // RFC 8785 of an object with these members: sorted, and otherwise as JSON.stringify has it.
  const signed = Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }));
  const log = logs.find((candidate) => isSignedBy(candidate, signed, promise));
  if (log === undefined) throw bad('none of the accepted Rekor keys signed it');
  const integratedAt = new Date(integratedTime * 1000);
  // What is no time compares with nothing: no certificate would be too old for it.
  if (integratedTime === 0 || Number.isNaN(integratedAt.getTime())) throw bad('it says no time');
  if (log.inUse !== undefined && !isWithin(log.inUse, integratedAt))
    throw bad('its log was not in use then');
  return { body: bytesOf(body, 'body'), integratedAt };
}

/** @throws TrustError BAD_SIGNATURE when the entry is about another signature */
export function assertLogged(entry: RekorEntry, logged: LoggedSignature): void {
  if (!entry.signerDer.equals(logged.signerDer)) throw bad('it is about another key');
  if (!entry.signature.equals(logged.signature)) throw bad('it is about another signature');
  const hash = createHash('sha256').update(logged.payload).digest('hex');
  if (entry.payloadSha256 !== hash) throw bad('it is about another payload');
}

function parseBody(bytes: Buffer): Omit<RekorEntry, 'integratedAt'> {
  const body = closed(parse(bytes.toString('utf8')), ['apiVersion', 'kind', 'spec'], 'the entry');
  if (body['kind'] !== 'hashedrekord' || body['apiVersion'] !== '0.0.1')
    throw bad(
      `it is a ${quote(JSON.stringify(body['kind']))} ${quote(JSON.stringify(body['apiVersion']))}, not a hashedrekord 0.0.1`,
    );
  const spec = closed(body['spec'], ['data', 'signature'], 'spec');
  const data = closed(spec['data'], ['hash'], 'spec.data');
  const hash = closed(data['hash'], ['algorithm', 'value'], 'spec.data.hash');
  const { algorithm, value } = hash;
  if (algorithm !== 'sha256' || typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw bad('spec.data.hash is not a sha256');
  const signature = closed(spec['signature'], ['content', 'publicKey'], 'spec.signature');
  const publicKey = closed(signature['publicKey'], ['content'], 'spec.signature.publicKey');
  const pem = bytesOf(publicKey['content'], 'spec.signature.publicKey.content');
  const [block, ...more] = readOnlyPemBlocks(pem.toString('latin1')) ?? [];
  if (block === undefined || more.length > 0) throw bad('its public key is not one PEM block');
  return {
    signerDer: block.der,
    signature: bytesOf(signature['content'], 'spec.signature.content'),
    payloadSha256: value,
  };
}

function parse(text: string): JsonValue {
  try {
    return parseStrictJsonValue(text, 'entry');
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
    throw new TrustError(
      'BAD_SIGNATURE',
      `has a Rekor entry that does not hold: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

function closed(value: JsonValue | undefined, keys: readonly string[], name: string): JsonObject {
  if (!isJsonObject(value)) throw bad(`${name} is not an object`);
  for (const key of Object.keys(value))
    if (!keys.includes(key)) throw bad(`${name} has the unknown key ${quote(key)}`);
  for (const key of keys) if (!(key in value)) throw bad(`${name} has no ${key}`);
  return value;
}

function bytesOf(value: JsonValue | undefined, name: string): Buffer {
  const bytes = typeof value === 'string' ? decodeCanonicalBase64(value) : undefined;
  if (bytes === undefined || bytes.length === 0) throw bad(`${name} is not base64`);
  return bytes;
}

function isWhole(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function bad(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', `has a Rekor entry that does not hold: ${seen}`);
}
