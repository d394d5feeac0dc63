// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import { isJsonObject, type JsonValue } from '../base/strict-json.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';

/** image-spec v1.1.1 descriptor.md. `sizeBytes` is exact: readers must stop at it and refuse less. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** @param what names the place in messages, for example `manifest of quay.io/x: layers[2]`. */
export function parseDescriptor(value: JsonValue | undefined, what: string): Descriptor {
  if (!isJsonObject(value)) throw invalid(what, 'is not an object');
  const { mediaType, digest, size, urls } = value;
  if (typeof mediaType !== 'string') throw invalid(what, 'has no mediaType');
  if (!isDigest(digest))
    throw invalid(
      what,
      `digest ${quote(JSON.stringify(digest) ?? 'none')} is not sha256:<64 hex digits>`,
    );
  // Sizes from outside bound every read that follows: a negative or fractional one is an attack.
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(
      what,
      `size ${quote(JSON.stringify(size) ?? 'none')} is not a whole number of bytes`,
    );
  }
  if (Array.isArray(urls) && urls.length > 0) {
    throw invalid(what, 'names foreign URLs, which are not fetched');
  }
  return {
    mediaType,
    digest,
    sizeBytes: size,
    annotations: parseStringMap(value['annotations'], what),
  };
}

/** A JSON object whose members are strings, such as annotations and labels; absent or null reads as empty. */
export function parseStringMap(
  value: JsonValue | undefined,
  what: string,
): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw invalid(what, 'annotations are not an object');
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [key, member] of Object.entries(value)) {
    if (typeof member !== 'string') throw invalid(what, `annotation ${quote(key)} is not a string`);
    map[key] = member;
  }
  return map;
}

function invalid(what: string, reason: string): InvalidDocumentError {
  return new InvalidDocumentError('INVALID_DESCRIPTOR', `${what}: ${reason}`);
}
