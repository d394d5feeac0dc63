// SPDX-License-Identifier: Apache-2.0
// What sysct df says, against sums over decoded trees and layers.
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import type { Store } from '../../src/store/store.ts';
import {
  ALONE,
  APP_A,
  APP_B,
  BASE,
  collect,
  withStore,
  writeGeneration,
} from '../support/store/collecting.ts';
import { contentFiles, filesOfImage, filesOfTree } from '../support/store/needed-files.ts';
import { importImage } from '../support/store/store-layers.ts';

const A = 'quay.io/x/a:1';
const B = 'quay.io/x/b:1';
const C = 'quay.io/x/c:1';

function bytesOf(store: Store, paths: Iterable<string>): number {
  const sizes = contentFiles(store);
  return [...new Set(paths)].reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0);
}

describe('the usage of the disk', () => {
  it('is right for images that share, one without a name, and containers', async () => {
    await withStore(async (store) => {
      const a = await importImage(store, A, [BASE, APP_A]);
      await importImage(store, 'quay.io/x/a:alias', [BASE, APP_A]);
      const b = await importImage(store, B, [BASE, APP_B]);
      const c = await importImage(store, C, [ALONE]);
      const needed = new Map(
        [a, b, c].map((record): [RefRecord, Set<string>] => [record, filesOfImage(store, record)]),
      );
      rmSync(join(store.layout.refs, 'quay.io/x/c'), { recursive: true });
      const generation = writeGeneration(store, 'web', '1', a);
      linkSync(store.layout.image(a.treeId), join(generation, 'rootfs.erofs'));
      writeFileSync(join(generation, 'config.json'), Buffer.alloc(1234));
      const usage = await store.measureDiskUsage(new Date());

      const images = usage.images.toSorted((x, y) =>
        (x.names[0] ?? '') < (y.names[0] ?? '') ? -1 : 1,
      );
      assert.deepEqual(
        images.map(({ names, containers }) => [[...names].sort(), containers]),
        [
          [[A, 'quay.io/x/a:alias'], ['web']],
          [[B], []],
        ],
      );
      for (const [n, record] of [a, b].entries()) {
        const own = needed.get(record) ?? new Set();
        const others = needed.get(n === 0 ? b : a) ?? new Set();
        const shared = [...own].filter((path) => others.has(path));
        const { logicalBytes, storedBytes, sharedBytes, uniqueBytes } = images[n]!;
        assert.equal(logicalBytes, record.contentBytes);
        assert.equal(storedBytes, bytesOf(store, own));
        assert.equal(sharedBytes, bytesOf(store, shared));
        assert.equal(uniqueBytes, storedBytes - sharedBytes);
      }
      const union = [...(needed.get(a) ?? []), ...(needed.get(b) ?? [])];
      assert.equal(usage.storedBytes, bytesOf(store, union));
      assert.equal(usage.savedBytes, a.contentBytes + b.contentBytes - usage.storedBytes);
      const ofB = [...(needed.get(b) ?? [])].filter((path) => !needed.get(a)?.has(path));
      assert.equal(usage.reclaimableBytes, bytesOf(store, ofB));
      assert.equal(usage.heldBytes, 0);
      const all = bytesOf(store, contentFiles(store).keys());
      assert.equal(usage.garbageBytes, all - usage.storedBytes);
      assert.equal(usage.garbageBytes, (await collect(store, 'look')).bytes);
      const record = readFileSync(join(generation, 'generation.json')).length;
      assert.deepEqual(usage.containers, [{ name: 'web', ownBytes: 1234 + record }]);
    });
  });

  it('tells what only containers and removed images hold', async () => {
    await withStore(async (store) => {
      const a = await importImage(store, A, [BASE, APP_A]);
      await importImage(store, B, [BASE, APP_B]);
      const held = filesOfTree(store, a.treeId);
      writeGeneration(store, 'web', '1', a);
      const { signal } = new AbortController();
      await store.removeImages([a], new Date(), signal);
      const usage = await store.measureDiskUsage(new Date());
      const [image] = usage.images;
      assert.ok(image);
      const ofB = filesOfImage(store, store.findImage(B));
      assert.equal(
        usage.heldBytes,
        bytesOf(
          store,
          [...held].filter((path) => !ofB.has(path)),
        ),
      );
      assert.equal(usage.garbageBytes, 0);
    });
  });

  it('is nothing for a store that is not there', async () => {
    await withStore(async (store) => {
      const usage = await store.measureDiskUsage(new Date());
      assert.deepEqual([usage.images, usage.storedBytes, usage.garbageBytes], [[], 0, 0]);
    });
  });

  it('counts what is partial, dead or in quarantine by itself', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE]);
      const { downloads, quarantine, transactions } = store.layout;
      for (const [directory, bytes] of [
        [downloads, 10],
        [quarantine, 20],
        [transactions, 30],
      ] as const) {
        mkdirSync(join(directory, 'x'), { recursive: true });
        writeFileSync(join(directory, 'x', 'file'), Buffer.alloc(bytes));
      }
      const usage = await store.measureDiskUsage(new Date());
      assert.deepEqual(
        [usage.downloadBytes, usage.quarantineBytes, usage.importBytes, usage.garbageBytes],
        [10, 20, 30, 0],
      );
    });
  });
});
