// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { digestHex } from '../../base/digest.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import { listDigestFiles, listLayers } from '../disk/digest-files.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { listShards, readShard } from '../disk/object-shards.ts';
import { DigestTable } from './digest-table.ts';
import { type ListedImage, visitNeeds } from './image-needs.ts';
import { OwnerLedger } from './owner-ledger.ts';

/** Bytes of what is there. */
export interface StockSizes {
  readonly garbageBytes: number;
  readonly usedBytes: number;
  readonly unusedBytes: number;
  readonly heldBytes: number;
}

/** All things in a store that images need, objects and files, and who needs them. */
export class Stock {
  readonly #layout: StoreLayout;
  readonly #objects = new DigestTable(0);
  readonly #objectOwners = new OwnerLedger();
  readonly #files = new Map<string, number>();
  readonly #fileOwners = new OwnerLedger();

  constructor(layout: StoreLayout) {
    this.#layout = layout;
  }

  own(image: ListedImage, number: number, isInUse: boolean): void {
    this.#visit(image, (ledger, thing) => ledger.own(thing, number, isInUse));
  }

  hold(image: ListedImage): void {
    this.#visit(image, (ledger, thing) => ledger.hold(thing));
  }

  /** Digests of 32 bytes, one after the other. */
  holdObjects(digests: Buffer): void {
    for (let at = 0; at < digests.length; at += DIGEST_BYTES) {
      this.#objectOwners.hold(this.#objects.add(digests, at));
    }
  }

  /** Looks at all that is there. To be called when everything is owned or held. */
  measure(): StockSizes {
    const sizes = { garbageBytes: 0, usedBytes: 0, unusedBytes: 0, heldBytes: 0 };
    const count = (ledger: OwnerLedger, thing: number | undefined, path: string): void => {
      const bytes = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (thing === undefined || thing < 0) {
        sizes.garbageBytes += bytes;
        return;
      }
      ledger.measure(thing, bytes);
      sizes[`${ledger.useOf(thing)}Bytes`] += bytes;
    };
    for (const path of this.#listFiles()) count(this.#fileOwners, this.#files.get(path), path);
    const bytes = Buffer.alloc(DIGEST_BYTES);
    for (const shard of listShards(this.#layout).shards) {
      for (const digest of readShard(this.#layout, shard).objects) {
        bytes.write(digestHex(digest), 'hex');
        count(this.#objectOwners, this.#objects.find(bytes, 0), this.#layout.object(digest));
      }
    }
    return sizes;
  }

  /** Of one image, after {@link measure}. */
  sizeOf(
    image: ListedImage,
    number: number,
  ): { readonly storedBytes: number; readonly uniqueBytes: number } {
    let storedBytes = 0;
    let uniqueBytes = 0;
    this.#visit(image, (ledger, thing) => {
      if (!ledger.isFirst(thing, number)) return;
      const bytes = ledger.bytes(thing);
      storedBytes += bytes;
      if (ledger.isOnlyOf(thing, number)) uniqueBytes += bytes;
    });
    return { storedBytes, uniqueBytes };
  }

  #visit(image: ListedImage, act: (ledger: OwnerLedger, thing: number) => void): void {
    const file = (path: string): void => {
      const thing = this.#files.get(path) ?? this.#files.size;
      this.#files.set(path, thing);
      act(this.#fileOwners, thing);
    };
    visitNeeds(this.#layout, image, {
      object: (bytes, at) => act(this.#objectOwners, this.#objects.add(bytes, at)),
      layer: (key) => file(this.#layout.layer(key)),
    });
    file(this.#layout.tree(image.treeId));
    file(this.#layout.image(image.treeId));
    for (const digest of image.blobs) file(this.#layout.blob(digest));
  }

  *#listFiles(): Generator<string, void, undefined> {
    const { trees, images, blobs } = this.#layout;
    for (const digest of listDigestFiles(trees)) yield this.#layout.tree(digest);
    for (const digest of listDigestFiles(images, '.erofs')) yield this.#layout.image(digest);
    for (const key of listLayers(this.#layout)) yield this.#layout.layer(key);
    for (const digest of listDigestFiles(blobs)) yield this.#layout.blob(digest);
  }
}
