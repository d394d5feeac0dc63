// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { JsonObject } from '../base/strict-json.ts';

export const REF_VERSION = 1;

export interface RefLayer {
  /** Of the blob as it was fetched. */
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Of the blob. */
  readonly sizeBytes: number;
}

export interface RefSignature {
  /** Names the blob that holds its exact bytes. */
  readonly digest: Digest;
  /** URL or path where it was found, credentials removed. */
  readonly source: string;
}

/** What a name in the store stands for: one verified image, and why it was let in. */
export interface RefRecord {
  /** Fully expanded, with a tag or a digest; undefined for an image that came without a name. */
  readonly reference: string | undefined;
  /** Where it was pulled from, as the user would write it: `docker://quay.io/coreos/etcd:v3.5`. */
  readonly source: string;
  readonly manifestDigest: Digest;
  /** The index that the manifest was chosen from. */
  readonly indexDigest: Digest | undefined;
  /** Digest of the config. */
  readonly imageId: Digest;
  readonly treeId: Digest;
  /** Bottom to top. */
  readonly layers: readonly RefLayer[];
  readonly signatures: readonly RefSignature[];
  /** Bytes of all files of the tree, hard links counted once. */
  readonly contentBytes: number;
  /** A verdict of the trust room, as it came. */
  readonly verdict: JsonObject;
  /** RFC 3339. */
  readonly pulledAt: string;
}

/**
 * Parses the text of a file in `refs/`; strict: unknown keys are refused.
 * @throws StoreError STORE_DAMAGED, or FORMAT_TOO_NEW
 */
export function parseRefRecord(text: string, what: string): RefRecord {
  void [text, what];
  throw new Error('not yet');
}

/** The text of a file in `refs/`. */
export function printRefRecord(record: RefRecord): string {
  void record;
  throw new Error('not yet');
}
