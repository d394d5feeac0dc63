// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../../base/digest.ts';

/**
 * The name of a layer in the store: of its file in `layers/`, and wherever it is said in which layer
 * something lies. A type of its own, because what an image config claims of a layer is not yet its name.
 */
export type LayerKey = Digest & { readonly __layerKey: true };

/**
 * What proves that the entries of a layer are the right ones.
 * - `diff-id`: they were read from an archive that has this diffID.
 * - `toc`: they are what a table of contents says that the manifest names; nobody looked at the archive.
 */
export type LayerProof = 'diff-id' | 'toc';

/** A layer of the store: who looks for it under one proof must not find it under the other. */
export interface LayerIdentity {
  readonly key: LayerKey;
  readonly proof: LayerProof;
}

export function layerOfDiffId(diffId: Digest): LayerIdentity {
  return { key: diffId as LayerKey, proof: 'diff-id' };
}

/**
 * The key is the digest of a text that is no archive, so no layer has it as its diffID. Where a config
 * claims it all the same, the proof tells.
 */
export function layerOfToc(tocDigest: Digest): LayerIdentity {
  return { key: sha256(`sysct zstd-chunked toc 1\n${tocDigest}`) as LayerKey, proof: 'toc' };
}
