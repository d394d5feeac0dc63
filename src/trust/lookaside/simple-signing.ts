// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
} from '../../base/strict-json.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** What a signature of either kind says (containers-signature(5)). Only believed after the signature over it was verified. */
export interface SimpleSigningPayload {
  readonly manifestDigest: Digest;
  /** As it stands: need not be a valid reference. */
  readonly dockerReference: string;
  readonly creator: string | undefined;
  /** Seconds since 1970, as the signer claims. */
  readonly timestampSeconds: number | undefined;
}

/** `critical.type` of each kind: a text that was signed for one must not count for the other. */
const TYPE = {
  gpg: 'atomic container signature',
  sigstore: 'cosign container image signature',
} as const;

/**
 * Parses the signed text. `critical` and everything in it is closed; `optional` is open, but its known
 * members must have their types, and none of its own keys may repeat. cosign writes `"optional": null`.
 * @throws TrustError INVALID_PAYLOAD
 */
export function parseSimpleSigningPayload(
  bytes: Buffer,
  kind: keyof typeof TYPE,
): SimpleSigningPayload {
  const root = closed(parse(bytes), ['critical', 'optional'], 'payload');
  const critical = closed(root['critical'], ['type', 'image', 'identity'], 'critical');
  if (critical['type'] !== TYPE[kind]) throw invalid(`critical.type is not ${quote(TYPE[kind])}`);
  const image = closed(critical['image'], ['docker-manifest-digest'], 'critical.image');
  const identity = closed(critical['identity'], ['docker-reference'], 'critical.identity');
  const digest = image['docker-manifest-digest'];
  if (!isDigest(digest))
    throw invalid('critical.image.docker-manifest-digest is not sha256:<64 hex digits>');
  const reference = identity['docker-reference'];
  if (typeof reference !== 'string')
    throw invalid('critical.identity.docker-reference is not a string');
  const optional = kind === 'sigstore' && root['optional'] === null ? {} : root['optional'];
  if (!isJsonObject(optional)) throw invalid('optional is not an object');
  return {
    manifestDigest: digest,
    dockerReference: reference,
    creator: creatorOf(optional['creator']),
    timestampSeconds: timestampOf(optional['timestamp']),
  };
}

/** The text to sign: that `dockerReference` names this manifest. */
export function printSimpleSigningPayload(
  payload: Required<SimpleSigningPayload>,
  kind: keyof typeof TYPE,
): Buffer {
  const { manifestDigest, dockerReference, creator, timestampSeconds: timestamp } = payload;
  const text = {
    critical: {
      identity: { 'docker-reference': dockerReference },
      image: { 'docker-manifest-digest': manifestDigest },
      type: TYPE[kind],
    },
    optional: { creator, timestamp },
  };
  return Buffer.from(JSON.stringify(text));
}

function parse(bytes: Buffer): JsonValue {
  // As in Go, bytes that are no UTF-8 read as U+FFFD, which no checked member can hold.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  try {
    // Inside an unknown optional member keys may repeat: nobody reads it.
    return parseStrictJson(text, 'payload', (path) => path[0] === 'optional' && path.length > 1)
      .value;
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
    throw new TrustError('INVALID_PAYLOAD', `signed text is not JSON: ${cause.message}`, { cause });
  }
}

function closed(value: JsonValue | undefined, keys: readonly string[], name: string): JsonObject {
  if (!isJsonObject(value)) throw invalid(`${name} is not an object`);
  for (const key of Object.keys(value))
    if (!keys.includes(key)) throw invalid(`${name} has the unknown key ${quote(key)}`);
  for (const key of keys) if (!(key in value)) throw invalid(`${name} has no ${key}`);
  return value;
}

function creatorOf(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalid('optional.creator is not a string');
  return value;
}

function timestampOf(value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  // The signed 64-bit integers that a double can hold.
  if (
    typeof value !== 'number' ||
    !Number.isInteger(value) ||
    value < -(2 ** 63) ||
    value >= 2 ** 63
  )
    throw invalid('optional.timestamp is not an integer');
  return value;
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_PAYLOAD', `signed text is no simple signature: ${seen}`);
}
