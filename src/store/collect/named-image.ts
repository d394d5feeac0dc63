// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../../base/digest.ts';
import { isJsonObject, type JsonValue } from '../../base/strict-json.ts';

/** What records outside `refs/` say of the image that they need: generations and leases. */
export interface NamedImage {
  readonly manifestDigest: Digest;
  /** Digest of the config. */
  readonly imageId: Digest;
  readonly treeId: Digest;
}

/** The image that a part of a record names; undefined when it names none. */
export function namedImageOf(value: JsonValue | undefined): NamedImage | undefined {
  if (!isJsonObject(value)) return undefined;
  const { manifestDigest, imageId, treeId } = value;
  if (!isDigest(manifestDigest) || !isDigest(imageId) || !isDigest(treeId)) return undefined;
  return { manifestDigest, imageId, treeId };
}
