// SPDX-License-Identifier: Apache-2.0
// Collections beside pulls, removals and installs: nothing is lost, and whoever counted on what went
// begins again by itself.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import type { ImageSource } from '../../src/image/source/image-source.ts';
import { underLock } from '../../src/store/disk/transaction-directory.ts';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import { removeRef } from '../../src/store/ref/refs.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { besideCollections } from '../support/store/collect-here.ts';
import { collect, contentOf } from '../support/store/collecting.ts';
import {
  contentFiles,
  filesOfImage,
  filesOfImages,
  filesOfTree,
} from '../support/store/needed-files.ts';
import { pullLayout, type PullLayoutOptions } from '../support/image/pull-layout.ts';
import { type SmallEntry, writeSmallImage } from '../support/image/small-image.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const { signal } = new AbortController();

function files(directory: string, count: number): SmallEntry[] {
  return Array.from({ length: count }, (_, n) => ({
    name: `${directory}/${n}`,
    content: contentOf(`${n % 3 === 0 ? 'small ' : ''}${directory} ${n}`),
  }));
}

/** Layouts `a` and `b`, with an image each, on one base. */
async function writeLayouts(directory: string, count: number): Promise<void> {
  const base = files('base', count);
  for (const name of ['a', 'b']) {
    await writeSmallImage(join(directory, name), name, {
      layers: [base, [...files(name, count / 4), ...files('both', 10)]],
      config: { Env: [`NAME=${name}`] },
    });
  }
}

type Pull = (name: string, options?: PullLayoutOptions) => Promise<RefRecord>;

async function inStore(
  count: number,
  use: (store: Store, pull: Pull) => Promise<void>,
): Promise<void> {
  using tmp = temporaryDirectory('gc-race', '/dev/shm');
  await writeLayouts(tmp.directory, count);
  const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  await use(store, (name, options) => pullLayout(store, join(tmp.directory, name), name, options));
}

function assertWhole(store: Store, files: ReadonlySet<string>): void {
  for (const path of files) assert.ok(existsSync(join(store.layout.directory, path)), path);
}

async function assertOnlyNeeded(store: Store): Promise<void> {
  await collect(store);
  assert.deepEqual([...contentFiles(store).keys()].sort(), [...filesOfImages(store)].sort());
  await assertSound(store.layout.directory);
}

/** What a removal does that is killed at once: collections find the rest. */
async function forgetNames(store: Store, records: readonly RefRecord[]): Promise<void> {
  await underLock(store.layout, signal, () => {
    for (const record of records) removeRef(store.layout.refs, record);
  });
}

async function forgetAll(store: Store): Promise<void> {
  await store.removeImages(store.listRefs(), new Date(), signal);
}

describe('a pull whose base is collected under its hands', () => {
  it('begins again, and fetches it', async () => {
    await inStore(40, async (store, pull) => {
      await pull('a');
      const fetched: string[] = [];
      const notes: string[] = [];
      const through = (source: ImageSource): ImageSource =>
        new Proxy(source, {
          get: (target, key) => {
            const value: unknown = Reflect.get(target, key, target);
            if (key !== 'openBlob') return typeof value === 'function' ? value.bind(target) : value;
            return async function* (...args: Parameters<ImageSource['openBlob']>) {
              fetched.push(args[0].digest);
              // The base is known to the pull, which now fetches the layer on top.
              if (fetched.length === 1) await forgetAll(store);
              yield* target.openBlob(...args);
            };
          },
        });
      const log = { ...silentLog, debug: (message: string): void => void notes.push(message) };
      const record = await pull('b', { through, log });
      assert.equal(fetched.length, 3, 'the top layer, and then both');
      assert.equal(notes.filter((note) => /: pulling .* again$/.test(note)).length, 1);
      assertWhole(store, filesOfImage(store, record));
      await assertOnlyNeeded(store);
    });
  });
});

describe('collections without end in another process', () => {
  it('take nothing from pulls that share a base with images that are removed', async () => {
    await inStore(80, async (store, pull) => {
      await pull('a');
      const collections = await besideCollections(store.layout.directory, async () => {
        for (let round = 0; round < 12; round += 1) {
          const [old, next] = round % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
          const pulling = pull(next);
          const removed = store.listRefs().filter(({ source }) => source.endsWith(`:${old}`));
          if (round % 3 === 0) await forgetNames(store, removed);
          else await store.removeImages(removed, new Date(), signal);
          const record = await pulling;
          assertWhole(store, filesOfImage(store, record));
        }
      });
      assert.ok(collections >= 3, `only ${collections} collections`);
      await assertOnlyNeeded(store);
    });
  });

  it('take nothing from who holds a lease', async () => {
    await inStore(60, async (store, pull) => {
      await besideCollections(store.layout.directory, async () => {
        for (let round = 0; round < 5; round += 1) {
          const record = await pull('a');
          using lease = await store.lease(record, signal);
          const needed = filesOfTree(store, lease.image.treeId);
          await forgetAll(store);
          await new Promise((resolve) => setTimeout(resolve, 100));
          assertWhole(store, needed);
        }
      });
      await assertOnlyNeeded(store);
    });
  });
});
