// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../base/strict-json.ts';
import { type Descriptor, parseDescriptor } from './descriptor.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';
import { LIMITS } from './limits.ts';
import { readManifestDocument } from './manifest.ts';
import { MEDIA_TYPE } from './media-type.ts';

/** A manifest that refers to another one, as an index lists it. */
export interface Referrer extends Descriptor {
  /** As the index says; the manifest itself may say otherwise. */
  readonly artifactType: string | undefined;
}

/** A manifest that refers to another one: documents of any type about it. */
export interface ReferrerManifest {
  readonly artifactType: string | undefined;
  /** The manifest that it is about. */
  readonly subject: Digest | undefined;
  readonly layers: readonly Descriptor[];
}

/**
 * Parses the list of referrers (distribution-spec v1.1), from the API or from the fallback tag: an OCI index.
 * @param contentType what the transport said
 * @throws InvalidDocumentError, InvalidJsonError
 */
export function parseReferrers(
  bytes: Buffer,
  contentType: string | undefined,
  what: string,
): readonly Referrer[] {
  const value = readDocument(bytes, contentType, MEDIA_TYPE.ociIndex, what);
  const entries = listOf(value['manifests'], LIMITS.indexEntries, `${what}: manifests`);
  return entries.map((entry, n) => ({
    ...parseDescriptor(entry, `${what}: manifests[${n}]`),
    artifactType: typeOf(isJsonObject(entry) ? entry['artifactType'] : undefined, what),
  }));
}

/**
 * Parses the exact bytes of a referrer: an OCI image manifest and nothing else.
 * @throws InvalidDocumentError, InvalidJsonError
 */
export function parseReferrerManifest(
  bytes: Buffer,
  contentType: string | undefined,
  what: string,
): ReferrerManifest {
  const value = readDocument(bytes, contentType, MEDIA_TYPE.ociManifest, what);
  const layers = listOf(value['layers'], LIMITS.layers, `${what}: layers`);
  const { subject } = value;
  return {
    artifactType: typeOf(value['artifactType'], what),
    subject: subject === undefined ? undefined : digestOf(subject, what),
    layers: layers.map((layer, n) => parseDescriptor(layer, `${what}: layers[${n}]`)),
  };
}

function readDocument(
  bytes: Buffer,
  contentType: string | undefined,
  wanted: string,
  what: string,
): JsonObject {
  const { value, mediaType } = readManifestDocument(bytes, contentType, what);
  if (mediaType !== wanted) throw invalid(what, `media type ${quote(mediaType)} is not ${wanted}`);
  return value;
}

function listOf(value: JsonValue | undefined, limit: number, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalid(what, 'is not a list');
  if (value.length > limit) throw invalid(what, `has ${value.length} entries, more than ${limit}`);
  return value as readonly JsonValue[];
}

function typeOf(value: JsonValue | undefined, what: string): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(what, 'has an artifactType that is no string');
  return value;
}

function digestOf(subject: JsonValue, what: string): Digest {
  const digest = isJsonObject(subject) ? subject['digest'] : undefined;
  if (!isDigest(digest)) throw invalid(what, 'has a subject without a digest');
  return digest;
}

function invalid(what: string, reason: string): InvalidDocumentError {
  return new InvalidDocumentError('INVALID_MANIFEST', `${what}: ${reason}`);
}
