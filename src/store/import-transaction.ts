// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { Progress } from '../base/progress.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { LayerCompression } from '../oci/media-type.ts';
import type { RefRecord } from './ref-record.ts';

/** One layer blob on its way in. */
export interface LayerImport {
  readonly descriptor: Descriptor;
  readonly compression: LayerCompression;
  /** As the image config names it. */
  readonly diffId: Digest;
  /** The bytes of the blob as they come; nothing about them is trusted. */
  readonly blob: AsyncIterable<Buffer>;
  /** Gets `layer-start`, `layer-bytes` and `layer-done`, by the digest of the descriptor. */
  readonly progress: Progress;
}

/** What a commit needs to know; the rest of the record is worked out. */
export type NewRef = Omit<RefRecord, 'treeId' | 'contentBytes' | 'verdict'> & {
  /** Anything that JSON can hold. */
  readonly verdict: object;
};

/**
 * One import: everything is written to a directory of its own in `txn/` and becomes visible in
 * {@link commit}, or not at all. Disposing it without a commit is {@link abort}.
 */
export interface ImportTransaction extends AsyncDisposable {
  /**
   * Streams a layer in, once: size, digest, diffID and every entry are checked. Several may run at
   * once. A diffID that this transaction already imports is awaited, and its blob left unread.
   * After an error the transaction can only be aborted.
   *
   * @throws StoreError BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH, DIFF_ID_MISMATCH, NO_SPACE, …;
   *   ArchiveError, LayerError for what is in it; errors of the blob pass through.
   */
  importLayer(layer: LayerImport): Promise<void>;
  /** Keeps exact bytes under their digest. @throws StoreError BLOB_DIGEST_MISMATCH */
  putBlob(digest: Digest, bytes: Uint8Array): void;
  /**
   * Merges the layers of `ref` (each imported here or in the store already), and makes objects,
   * layers, tree, EROFS image, blobs and the ref durable, in this order. On return a power cut loses nothing.
   *
   * @throws StoreError OBJECT_VANISHED, NO_SPACE, …; LayerError
   */
  commit(ref: NewRef): Promise<RefRecord>;
  /** Leaves nothing behind. Does nothing after a commit. */
  abort(): Promise<void>;
}
