// SPDX-License-Identifier: Apache-2.0
// Pulling what the store has: what is still asked of the source, and what heals.
import assert from 'node:assert/strict';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import type { ImageSource } from '../../src/image/source/image-source.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { pullLayout } from '../support/image/pull-layout.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const LARGE = Buffer.alloc(100_000, 'large');
const BASE = [{ name: 'large', content: LARGE }];

/** Which blobs are asked of a source. */
function recording(asked: string[]): (source: ImageSource) => ImageSource {
  return (source) =>
    new Proxy(source, {
      get: (_, name) => {
        if (name === 'readBlob' || name === 'openBlob') {
          return (descriptor: { digest: string }, signal: AbortSignal) => {
            asked.push(descriptor.digest);
            return name === 'readBlob'
              ? source.readBlob(descriptor as never)
              : source.openBlob(descriptor as never, signal);
          };
        }
        const value: unknown = Reflect.get(source, name);
        return typeof value === 'function' ? (value.bind(source) as unknown) : value;
      },
    });
}

async function withImages(
  use: (store: Store, pull: (tag: string) => Promise<string[]>) => Promise<void>,
): Promise<void> {
  using tmp = temporaryDirectory('again', '/dev/shm');
  const at = (name: string): string => join(tmp.directory, name);
  await writeSmallImage(at('one'), 'one', { layers: [BASE] });
  await writeSmallImage(at('two'), 'two', { layers: [BASE, [{ name: 'own', content: 'two' }]] });
  const store = await openStore(at('store'), { log: silentLog });
  await use(store, async (tag) => {
    const asked: string[] = [];
    await pullLayout(store, at(tag), tag, { through: recording(asked) });
    return asked;
  });
}

describe('an image that is pulled', () => {
  it('again asks the source for no blob', async () => {
    await withImages(async (store, pull) => {
      assert.equal((await pull('one')).length, 2);
      const before = store.listRefs();
      assert.deepEqual(await pull('one'), []);
      assert.deepEqual(
        store.listRefs().map(({ treeId }) => treeId),
        before.map(({ treeId }) => treeId),
      );
    });
  });

  it('after another one on the same base asks for its config and its own layer', async () => {
    await withImages(async (_, pull) => {
      await pull('one');
      assert.equal((await pull('two')).length, 2);
    });
  });

  it('again where an object is gone asks for the layer and heals', async () => {
    await withImages(async (store, pull) => {
      await pull('one');
      const path = store.layout.object(sha256(LARGE));
      rmSync(path);
      assert.equal((await pull('one')).length, 1);
      assert.equal(statSync(path).size, LARGE.length);
    });
  });

  it('after another one with the same object, which lacks its end, asks for the layer and heals', async () => {
    await withImages(async (store, pull) => {
      await pull('one');
      const path = store.layout.object(sha256(LARGE));
      truncateSync(path, 10);
      assert.equal((await pull('two')).length, 3);
      assert.equal(statSync(path).size, LARGE.length);
    });
  });
});
