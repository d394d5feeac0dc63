// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../../base/digest.ts';
import { isJsonObject, type JsonValue } from '../../base/strict-json.ts';
import type { RefSignature } from '../ref/ref-record.ts';

/** What records outside `refs/` say of the image that they need: generations and leases. */
export interface NamedImage {
  readonly manifestDigest: Digest;
  /** Digest of the config. */
  readonly imageId: Digest;
  readonly treeId: Digest;
  /** The index that the manifest was chosen from. */
  readonly indexDigest?: Digest | undefined;
  /** Those that it was judged by; absent in records that were written before they were kept. */
  readonly signatures?: readonly RefSignature[] | undefined;
}

/** The image that a part of a record names; undefined when it names none. */
export function namedImageOf(value: JsonValue | undefined): NamedImage | undefined {
  if (!isJsonObject(value)) return undefined;
  const { manifestDigest, imageId, treeId, indexDigest } = value;
  if (!isDigest(manifestDigest) || !isDigest(imageId) || !isDigest(treeId)) return undefined;
  if (indexDigest !== undefined && !isDigest(indexDigest)) return undefined;
  const signatures = signaturesOf(value['signatures'] ?? []);
  if (signatures === undefined) return undefined;
  return { manifestDigest, imageId, treeId, indexDigest, signatures };
}

/** The documents that are kept of an image, so that it can be judged and repaired when its name is gone. */
export function documentsOf(image: NamedImage): readonly Digest[] {
  const { manifestDigest, imageId, indexDigest, signatures = [] } = image;
  const index = indexDigest === undefined ? [] : [indexDigest];
  return [manifestDigest, imageId, ...index, ...signatures.map(({ digest }) => digest)];
}

function signaturesOf(value: JsonValue): readonly RefSignature[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const signatures: RefSignature[] = [];
  for (const entry of value as readonly JsonValue[]) {
    if (!isJsonObject(entry)) return undefined;
    const { digest, source, manifestDigest } = entry;
    if (!isDigest(digest) || typeof source !== 'string') return undefined;
    if (manifestDigest !== undefined && !isDigest(manifestDigest)) return undefined;
    signatures.push({ digest, source, ...(manifestDigest !== undefined && { manifestDigest }) });
  }
  return signatures;
}
