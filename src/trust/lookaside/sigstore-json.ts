// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { decodeBase64 } from '../policy/strict-base64.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** What cosign attaches to an image: one layer of its `.sig` manifest, nothing of it believed yet. */
export interface SigstoreAttachment {
  /** Of the layer; {@link SIGSTORE_SIGNATURE_TYPE} for signatures. */
  readonly mimeType: string;
  readonly payload: Buffer;
  /** The signature itself, certificate, log entry. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** The media type of attachments that are signatures, and not attestations or bills of materials. */
export const SIGSTORE_SIGNATURE_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** The media type of attachments that are attestations: DSSE envelopes. */
export const ATTESTATION_TYPE = 'application/vnd.dsse.envelope.v1+json';

const MARK = Buffer.from('\0sigstore-json\n', 'latin1');

/** The signature blob of an attachment, as `signature-N` files and the store keep it. */
export function encodeSigstoreBlob(attachment: SigstoreAttachment): Buffer {
  const { mimeType, payload, annotations } = attachment;
  const json = JSON.stringify({ mimeType, payload: payload.toString('base64'), annotations });
  return Buffer.concat([MARK, Buffer.from(json)]);
}

/**
 * Parses what follows the mark of a signature blob.
 * @throws TrustError INVALID_SIGNATURE_BLOB
 */
export function parseSigstoreJson(json: Buffer): SigstoreAttachment {
  const value = parse(json);
  if (!isJsonObject(value)) throw invalid('is no object');
  const stranger = Object.keys(value).find((key) => !KEYS.includes(key));
  if (stranger !== undefined) throw invalid(`has the unknown key ${quote(stranger)}`);
  const { mimeType, payload, annotations } = value;
  if (typeof mimeType !== 'string') throw invalid('has no mimeType');
  const bytes = typeof payload === 'string' ? decodeBase64(payload) : undefined;
  if (bytes === undefined) throw invalid('has no payload in base64');
  return { mimeType, payload: bytes, annotations: annotationsOf(annotations) };
}

const KEYS: readonly string[] = ['mimeType', 'payload', 'annotations'];

function annotationsOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  // Without a prototype, so that nothing but an annotation is found under any name.
  const annotations: Record<string, string> = Object.create(null) as Record<string, string>;
  if (value === undefined || value === null) return annotations;
  if (!isJsonObject(value)) throw invalid('has annotations that are no object');
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw invalid(`has the annotation ${quote(name)}, no string`);
    annotations[name] = text;
  }
  return annotations;
}

function parse(json: Buffer): JsonValue {
  try {
    return parseStrictJsonValue(json.toString('utf8'), 'sigstore-json');
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
    throw new TrustError('INVALID_SIGNATURE_BLOB', `signature blob is no JSON: ${cause.message}`, {
      cause,
    });
  }
}

function invalid(seen: string): TrustError {
  return new TrustError('INVALID_SIGNATURE_BLOB', `signature blob in sigstore-json ${seen}`);
}
