// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { StoreError } from './disk/store-error.ts';
import { findImage } from './ref/find-image.ts';
import type { RefRecord } from './ref/ref-record.ts';
import type { AdditionalStore } from './reader/additional-store.ts';
import type { StoreReader } from './reader/store-reader.ts';
import type { Store } from './store.ts';

/** An image, and the store that it is in whole. */
export interface StoredImage {
  readonly record: RefRecord;
  readonly store: StoreReader;
}

/** All stores of a host: its own, which counts first, and those that it only reads. */
export class Stores {
  readonly local: Store;
  /** In the order of the settings. */
  readonly additional: readonly AdditionalStore[];

  constructor(local: Store, additional: readonly AdditionalStore[]) {
    this.local = local;
    this.additional = additional;
  }

  /** Every image of every store. */
  listImages(): StoredImage[] {
    return [this.local, ...this.additional].flatMap((store) =>
      store.listRefs().map((record) => ({ record, store })),
    );
  }

  /**
   * As {@link StoreReader.findImage}, in the first store that has such an image.
   * @throws StoreError IMAGE_NOT_FOUND, AMBIGUOUS_IMAGE
   */
  findImage(text: string): StoredImage {
    const [found] = this.findImages(text);
    if (found !== undefined) return found;
    // The host's own store says that it has none.
    return { record: findImage(this.local.listRefs(), text), store: this.local };
  }

  /** What `text` means in each store that has such an image, the host's own first. @throws StoreError AMBIGUOUS_IMAGE */
  *findImages(text: string): Generator<StoredImage, void, undefined> {
    for (const store of [this.local, ...this.additional]) {
      const record = findIn(store, text);
      if (record !== undefined) yield { record, store };
    }
  }

  /** The additional store of an image, by its manifest and tree. */
  findElsewhere(
    manifestDigest: Digest,
    treeId: Digest,
  ): { readonly record: RefRecord; readonly store: AdditionalStore } | undefined {
    for (const store of this.additional) {
      const record = store
        .listRefs()
        .find((ref) => ref.manifestDigest === manifestDigest && ref.treeId === treeId);
      if (record !== undefined) return { record, store };
    }
    return undefined;
  }
}

function findIn(store: StoreReader, text: string): RefRecord | undefined {
  try {
    return store.findImage(text);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'IMAGE_NOT_FOUND') return undefined;
    throw error;
  }
}
