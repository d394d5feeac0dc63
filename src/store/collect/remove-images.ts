// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { underLock } from '../disk/transaction-directory.ts';
import type { RefRecord } from '../ref/ref-record.ts';
import { readRefLike, removeRef } from '../ref/refs.ts';
import { writeTombstone } from '../ref/tombstones.ts';
import { digestAt } from '../tree/tree-needs.ts';
import { DigestTable } from './digest-table.ts';
import { Marker } from './marker.ts';
import { Removals } from './removals.ts';
import { visitNeeds } from './image-needs.ts';
import { documentsOf } from './named-image.ts';
import { imageOf, RootReader } from './roots.ts';
import { metadataSweeps, objectSweep } from './sweep-order.ts';
import { sweep } from './sweep.ts';

export interface RemoveOptions {
  readonly now: Date;
  /** How long what was removed stays; nothing is freed before. */
  readonly graceMs: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Removes names, durably, and then what only their images needed: that alone is looked for, so the
 * cost is that of the lists of the other images, whatever else lies in the store.
 *
 * @returns what was freed. @throws StoreError
 */
export async function removeImages(
  layout: StoreLayout,
  records: readonly RefRecord[],
  options: RemoveOptions,
): Promise<Removals> {
  const removals = new Removals();
  const { signal, now, graceMs } = options;
  try {
    const removed: RefRecord[] = [];
    await underLock(layout, signal, () => {
      for (const named of records) {
        const record = readRefLike(layout.refs, named);
        if (record === undefined) continue;
        if (graceMs > 0) writeTombstone(layout.removed, { removedAt: now, record });
        removeRef(layout.refs, record);
        removed.push(record);
      }
    });
    if (graceMs === 0) await sweepImages(layout, removed, options, removals);
  } catch (error) {
    throw storeFailure('removing images', error);
  }
  return removals;
}

async function sweepImages(
  layout: StoreLayout,
  records: readonly RefRecord[],
  options: RemoveOptions,
  removals: Removals,
): Promise<void> {
  const { now, log, signal } = options;
  const candidates = new Candidates(layout, records);
  const marker = new Marker(layout, new RootReader(layout, now), candidates.keep, log);
  marker.update();
  const parts = { layout, mode: 'remove', removals, signal } as const;
  const listed = {
    trees: () => candidates.trees,
    images: () => candidates.trees,
    layers: () => candidates.layers,
    blobs: () => candidates.blobs,
  };
  for (const metadata of metadataSweeps(layout, marker, listed)) await sweep(metadata, parts);
  const objects = candidates.unkeptObjects();
  const isKept = (digest: Digest): boolean => candidates.isKept(digest);
  await sweep(objectSweep(layout, marker, objects, isKept), parts);
}

/** What images need that are about to go. */
class Candidates {
  readonly trees: readonly Digest[];
  readonly layers: readonly LayerKey[];
  readonly blobs: readonly Digest[];
  readonly #table = new DigestTable(0);
  readonly #digests: Buffer[] = [];
  readonly #kept: Uint8Array;

  constructor(layout: StoreLayout, records: readonly RefRecord[]) {
    this.trees = [...new Set(records.map(({ treeId }) => treeId))];
    this.blobs = [...new Set(records.flatMap(documentsOf))];
    const layers = new Set<LayerKey>();
    for (const record of records) {
      const image = imageOf(record);
      visitNeeds(layout, image, {
        object: (bytes, at) => this.#add(bytes, at),
        layer: (key) => layers.add(key),
      });
    }
    this.layers = [...layers];
    this.#kept = new Uint8Array(this.#table.size);
  }

  /** Says that an object is needed by something else. */
  readonly keep = (bytes: Buffer, at: number): void => {
    const number = this.#table.find(bytes, at);
    if (number >= 0) this.#kept[number] = 1;
  };

  isKept(digest: Digest): boolean {
    const number = this.#table.find(Buffer.from(digest.slice('sha256:'.length), 'hex'), 0);
    return this.#kept[number] !== 0;
  }

  unkeptObjects(): Digest[] {
    return this.#digests
      .filter((_, number) => this.#kept[number] === 0)
      .map((bytes) => digestAt(bytes, 0));
  }

  #add(bytes: Buffer, at: number): void {
    const before = this.#table.size;
    if (this.#table.add(bytes, at) === before) {
      // A copy: a view would keep the whole list, or the entries of a layer, in memory.
      this.#digests.push(Buffer.from(bytes.subarray(at, at + DIGEST_BYTES)));
    }
  }
}
