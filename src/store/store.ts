// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Digest } from '../base/digest.ts';
import type { Log } from '../base/log.ts';
import type { ErofsSources } from './erofs/write-erofs-image.ts';
import type { ImportTransaction } from './import-transaction.ts';
import type { FileContent } from './inode.ts';
import type { StoreLayout } from './layout.ts';
import type { PlainTreeSources } from './plain-tree.ts';
import type { RefRecord } from './ref-record.ts';
import type { Tree } from './tree.ts';

export interface StoreOptions {
  readonly log: Log;
}

/**
 * The store of one host. Reading never writes: a store that does not exist reads as empty, and is
 * made by the first {@link beginImport}.
 */
export interface Store {
  readonly layout: StoreLayout;

  /** True when the layer is here whole: its file is sound and each of its objects is there. */
  hasLayer(diffId: Digest): boolean;
  /** A tree of its own, the caller's to change. @throws StoreError NOT_IN_STORE, STORE_DAMAGED */
  readTree(treeId: Digest): Tree;
  /** @throws StoreError NOT_IN_STORE, STORE_DAMAGED when the bytes do not have that digest. */
  readBlob(digest: Digest): Buffer;
  /** The bytes of a file of a tree, checked against their digest. @throws StoreError */
  readContent(content: FileContent): Buffer;
  /** As {@link readContent}, piece by piece; the digest is checked at the end. */
  openContent(content: FileContent): Readable;
  /** What writers of EROFS images and plain trees read. */
  contentSources(): ErofsSources & PlainTreeSources;

  /** All images, by name. */
  listRefs(): RefRecord[];
  /**
   * The image that `text` means: a reference (its registry may be left out), `sha256:…` of a manifest
   * or config, or the first digits, at least four, of an image ID.
   * @throws StoreError IMAGE_NOT_FOUND, AMBIGUOUS_IMAGE listing what it could be
   */
  findImage(text: string): RefRecord;
  /** Removes a name; what it stood for stays until it is collected. False when there was none. */
  removeRef(record: RefRecord, signal: AbortSignal): Promise<boolean>;

  /** @throws StoreError NO_SPACE when fewer than `bytes` are free. */
  assertSpace(bytes: number): void;
  /**
   * Starts an import; creates the store, mode 0700, where there is none, and removes what dead imports left.
   * @throws StoreError FORMAT_TOO_NEW, NOT_A_STORE, STORE_READ_ONLY, STORE_NOT_PERMITTED, NO_SPACE
   */
  beginImport(signal: AbortSignal): Promise<ImportTransaction>;
}

/**
 * Opens the store in `directory`, which need not exist.
 * @throws StoreError FORMAT_TOO_NEW, NOT_A_STORE
 */
export async function openStore(directory: string, options: StoreOptions): Promise<Store> {
  await Promise.resolve();
  void [directory, options];
  throw new Error('not yet');
}
