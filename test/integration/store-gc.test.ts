// SPDX-License-Identifier: Apache-2.0
// What a collection removes, and what it must not.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { mountCheckout, planCheckout, unmountCheckout } from '../../src/store/checkout/checkout.ts';
import { silentLog } from '../../src/base/log.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import {
  ALONE,
  APP_A,
  APP_B,
  BASE,
  collect,
  contentOf,
  forget,
  layerOf,
  pointCurrentAt,
  withStore,
  writeGeneration,
} from '../support/store/collecting.ts';
import { contentFiles, filesOfImages, filesOfTree } from '../support/store/needed-files.ts';
import { startLease } from '../support/store/lease-here.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import {
  CONFIG,
  importImage,
  layerImport,
  MANIFEST,
  newRef,
  snapshot,
} from '../support/store/store-layers.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const A = 'quay.io/x/a:1';
const B = 'quay.io/x/b:1';
const C = 'quay.io/x/c:1';
const DAY_MS = 86_400_000;
const { signal } = new AbortController();

function present(store: Store): string[] {
  return [...contentFiles(store).keys()].sort();
}

/** That nothing is there but what names need. */
async function assertOnlyNeeded(store: Store): Promise<void> {
  assert.deepEqual(present(store), [...filesOfImages(store)].sort());
  await assertSound(store.layout.directory);
}

/** Removes a name and nothing of its image, as a kill right after would have it. */
function unname(store: Store, reference: string): void {
  rmSync(join(store.layout.refs, reference.replace(/:([^:]*)$/, '/:$1')));
}

describe('a collection', () => {
  it('removes nothing that an image needs, hidden files of its layers among it', async () => {
    await withStore(async (store, directory) => {
      await importImage(store, A, [BASE, APP_A]);
      await importImage(store, B, [BASE, APP_B]);
      const before = snapshot(directory);
      assert.equal((await collect(store)).bytes, 0);
      assert.deepEqual(snapshot(directory), before);
      await assertOnlyNeeded(store);
      for (const layer of [BASE, APP_A, APP_B]) assert.ok(store.hasLayer(layer.diffId));
    });
  });

  it('removes all that only an image without a name needed, and says beforehand what', async () => {
    await withStore(async (store, directory) => {
      await importImage(store, A, [BASE, APP_A]);
      const kept = contentFiles(store);
      await importImage(store, C, [ALONE]);
      const all = contentFiles(store);
      unname(store, C);
      const before = snapshot(directory);
      const looked = await collect(store, 'look');
      assert.deepEqual(snapshot(directory), before);
      const removed = await collect(store);
      assert.deepEqual(removed.toJSON(), looked.toJSON());
      assert.deepEqual(present(store), [...kept.keys()].sort());
      const sum = (files: ReadonlyMap<string, number>): number =>
        [...files.values()].reduce((total, bytes) => total + bytes, 0);
      assert.equal(removed.bytes, sum(all) - sum(kept));
      assert.deepEqual(
        [removed.of('objects').count, removed.of('layers').count, removed.of('trees').count],
        [1, 1, 1],
      );
      await assertOnlyNeeded(store);
    });
  });

  it('removes what a name stood for before it was pulled anew', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE, APP_A]);
      await importImage(store, A, [BASE, APP_B]);
      assert.ok((await collect(store)).bytes > 0);
      assert.equal(store.hasLayer(APP_A.diffId), false);
      await assertOnlyNeeded(store);
    });
  });

  it('leaves an empty store, and makes none where there is none', async () => {
    await withStore(async (store, directory) => {
      assert.equal((await collect(store)).bytes, 0);
      assert.equal(existsSync(directory), false);
      await importImage(store, A, [BASE, APP_A]);
      unname(store, A);
      await collect(store);
      assert.deepEqual(present(store), []);
      await importImage(store, A, [BASE, APP_A]);
      await assertOnlyNeeded(store);
    });
  });

  it('removes what an import left that died in its commit', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE, APP_A]);
      await importImage(store, C, [ALONE]);
      unname(store, C);
      rmSync(store.layout.trees, { recursive: true });
      mkdirSync(store.layout.trees);
      await importImage(store, A, [BASE, APP_A]);
      await collect(store);
      await assertOnlyNeeded(store);
    });
  });
});

describe('what keeps an image without a name', () => {
  const cases: readonly [string, string][] = [
    ['a generation', '1'],
    ['a generation that is being built', '.2.building'],
  ];
  for (const [name, entry] of cases) {
    it(`${name} does, with what its tree needs`, async () => {
      await withStore(async (store) => {
        const record = await importImage(store, A, [BASE, APP_A]);
        await importImage(store, C, [ALONE]);
        const directory = writeGeneration(store, 'web', entry, record);
        await forget(store, A);
        await collect(store);
        for (const path of filesOfTree(store, record.treeId)) {
          assert.ok(existsSync(join(store.layout.directory, path)), path);
        }
        store.readBlob(record.imageId);
        rmSync(directory, { recursive: true });
        await collect(store);
        await assertOnlyNeeded(store);
      });
    });
  }

  for (const moved of ['web', 'web/1'] as const) {
    it(`a container does of which ${moved} was moved to another disk, with a link in its place`, async () => {
      await withStore(async (store, directory) => {
        const record = await importImage(store, A, [BASE, APP_A]);
        writeGeneration(store, 'web', '1', record);
        pointCurrentAt(store, 'web', '1');
        const elsewhere = join(directory, '../elsewhere');
        renameSync(join(store.layout.containers, moved), elsewhere);
        symlinkSync(elsewhere, join(store.layout.containers, moved));
        await forget(store, A);
        await collect(store);
        for (const path of filesOfTree(store, record.treeId)) {
          assert.ok(existsSync(join(store.layout.directory, path)), path);
        }
      });
    });
  }

  it('a generation whose tree is damaged does, by its own image', async () => {
    await withStore(async (store) => {
      const record = await importImage(store, A, [BASE, APP_A]);
      const directory = writeGeneration(store, 'web', '1', record);
      writeFileSync(
        join(directory, 'rootfs.erofs'),
        readFileSync(store.layout.image(record.treeId)),
      );
      const { objects } = store.readTreeNeeds(record.treeId);
      assert.equal(objects.length, 32 * 3);
      unname(store, A);
      appendFileSync(store.layout.tree(record.treeId), 'x');
      writeFileSync(store.layout.tree(record.treeId), 'damaged');
      await collect(store);
      const left = present(store).filter((path) => path.startsWith('objects/'));
      assert.equal(left.length, 3, 'what is visible; the hidden file goes');
    });
  });

  it('a lease does, until it is let go of', async () => {
    await withStore(async (store) => {
      const record = await importImage(store, A, [BASE, APP_A]);
      {
        using lease = await store.lease(record, signal);
        assert.equal(lease.image, record);
        await forget(store, A);
        await collect(store);
        for (const path of filesOfTree(store, record.treeId)) {
          assert.ok(existsSync(join(store.layout.directory, path)), path);
        }
        store.readBlob(record.manifestDigest);
      }
      await collect(store);
      assert.deepEqual(present(store), []);
      await assert.rejects(store.lease(record, signal), { code: 'NOT_IN_STORE' });
      assert.deepEqual(readdirSync(store.layout.transactions), []);
    });
  });

  it('a lease whose process was killed does not', async () => {
    await withStore(async (store, directory) => {
      const record = await importImage(store, A, [BASE, APP_A]);
      const child = await startLease(directory, A);
      const ended = new Promise((resolve) => child.on('exit', resolve));
      await forget(store, A);
      await collect(store);
      store.readTree(record.treeId);
      child.kill('SIGKILL');
      await ended;
      const looked = await collect(store, 'look');
      assert.deepEqual((await collect(store)).toJSON(), looked.toJSON());
      assert.equal(looked.of('imports').count, 1);
      assert.deepEqual(present(store), []);
    });
  });

  for (const name of ['store', 'a:b', 'two words', 'back\\slash', 'a\\072b', '\u00e9\ttab']) {
    it(`a running mount does, whatever became of its image file, in ${JSON.stringify(name)}`, async () => {
      using tmp = temporaryDirectory('gc-mount', '/dev/shm');
      const directory = join(tmp.directory, name, 'store');
      const store = await openStore(directory, { log: silentLog, graceMs: 0 });
      const record = await importImage(store, A, [BASE, APP_A]);
      await importImage(store, C, [ALONE]);
      const image = join(directory, '../mounted.erofs');
      writeFileSync(image, readFileSync(store.layout.image(record.treeId)));
      const at = (name: string): string => join(directory, '..', name);
      const places = { image, objects: store.layout.objects, meta: at('meta') };
      const form = 'plain-lower';
      const support = { method: 'erofs-overlay', form, verity: false, reason: '' } as const;
      const plan = planCheckout(support, {
        ...places,
        rootfs: at('rootfs'),
        plainTree: at('no'),
        sealed: false,
      });
      const root = await mountCheckout(plan, signal);
      try {
        rmSync(image);
        await forget(store, A);
        await collect(store);
        assert.deepEqual(readFileSync(join(root, 'lib/libc')), contentOf('libc'));
        assert.equal(present(store).filter((path) => path.startsWith('objects/')).length, 4);
      } finally {
        await unmountCheckout(plan);
      }
      await collect(store);
      await assertOnlyNeeded(store);
    });
  }
});

describe('what stops a collection, with nothing removed', () => {
  interface Stop {
    readonly what: string;
    readonly spoil: (store: Store) => void;
    readonly code: string;
    readonly message: RegExp;
  }
  const stops: readonly Stop[] = [
    {
      what: 'a ref of a newer version',
      spoil: (store) => {
        const path = join(store.layout.refs, 'quay.io/x/a/:1');
        writeFileSync(path, readFileSync(path, 'utf8').replace('"version": 1', '"version": 9'));
      },
      code: 'FORMAT_TOO_NEW',
      message: /ref ".*quay\.io\/x\/a\/:1": it has version 9$/,
    },
    {
      what: 'a ref whose tree is gone',
      spoil: (store) => {
        const [record] = store.listRefs();
        assert.ok(record);
        rmSync(store.layout.tree(record.treeId));
      },
      code: 'STORE_DAMAGED',
      message:
        /^telling what image quay\.io\/x\/a:1 needs: its tree sha256:\w+ is not there; so nothing is removed$/,
    },
    {
      what: 'a damaged layer of a ref',
      spoil: (store) => {
        chmodSync(store.layout.layer(layerOfDiffId(BASE.diffId).key), 0o600);
        appendFileSync(store.layout.layer(layerOfDiffId(BASE.diffId).key), 'x');
      },
      code: 'STORE_DAMAGED',
      message: /layer sha256:\w+ of the store: /,
    },
    {
      what: 'a generation of a newer version',
      spoil: (store) => writeGeneration(store, 'web', '3', '{"version":2}'),
      code: 'ROOT_UNREADABLE',
      message: /containers\/web\/3\/generation\.json": it has version 2, this sysct knows 1; so/,
    },
    {
      what: 'a damaged generation',
      spoil: (store) => writeGeneration(store, 'web', '1', '{"version'),
      code: 'ROOT_UNREADABLE',
      message: /generation\.json": it is not JSON; so nothing is removed$/,
    },
    {
      what: 'a generation that is nested without end',
      spoil: (store) => writeGeneration(store, 'web', '1', '['.repeat(1e6)),
      code: 'ROOT_UNREADABLE',
      message: /generation\.json": it is not JSON; so nothing is removed$/,
    },
    {
      what: 'a generation that is a FIFO',
      spoil: (store) => {
        const path = join(writeGeneration(store, 'web', '1', ''), 'generation.json');
        rmSync(path);
        execFileSync('mkfifo', [path]);
      },
      code: 'STORE_DAMAGED',
      message: /generation\.json": it is no regular file$/,
    },
    {
      what: 'a ref that is a link',
      spoil: (store) => {
        const path = join(store.layout.refs, 'quay.io/x/a/:1');
        rmSync(path);
        symlinkSync('/dev/zero', path);
      },
      code: 'STORE_DAMAGED',
      message: /a\/:1": it is no regular file$/,
    },
    {
      what: 'a tombstone that is a FIFO',
      spoil: (store) => {
        mkdirSync(store.layout.removed, { recursive: true });
        execFileSync('mkfifo', [join(store.layout.removed, '1-0123456789ab.json')]);
      },
      code: 'STORE_DAMAGED',
      message: /1-0123456789ab\.json": it is no regular file$/,
    },
    {
      what: 'a container on a disk that is not mounted',
      spoil: (store) => {
        mkdirSync(store.layout.containers, { recursive: true });
        symlinkSync('/nonexistent/web', join(store.layout.containers, 'web'));
      },
      code: 'ROOT_UNREADABLE',
      message: /containers\/web": it is a symbolic link that leads nowhere; so nothing is removed$/,
    },
    {
      what: 'an installed generation without a record',
      spoil: (store) => {
        mkdirSync(join(store.layout.containers, 'web', '1'), { recursive: true });
        pointCurrentAt(store, 'web', '1');
      },
      code: 'ROOT_UNREADABLE',
      message: /generation\.json": it is not there; so nothing is removed$/,
    },
  ];
  for (const { what, spoil, code, message } of stops) {
    it(what, async () => {
      await withStore(async (store, directory) => {
        await importImage(store, A, [BASE, APP_A]);
        await importImage(store, C, [ALONE]);
        unname(store, C);
        spoil(store);
        const before = snapshot(directory);
        await assert.rejects(collect(store), (error: Error & { code: string; hint?: string }) => {
          assert.equal(error.code, code, error.message);
          assert.match(error.message, message);
          assert.ok(error.hint);
          return true;
        });
        assert.deepEqual(snapshot(directory), before);
      });
    });
  }

  it('but not a generation that was being removed or built when its sysct was killed', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE, APP_A]);
      mkdirSync(join(store.layout.containers, 'web', '1'), { recursive: true });
      writeGeneration(store, 'db', '.1.building', '{"vers');
      await collect(store);
      await assertOnlyNeeded(store);
    });
  });
});

describe('with gc-grace', () => {
  it('what a removed or replaced name stood for stays so long', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE, APP_A]);
      await importImage(store, B, [BASE, APP_B]);
      const kept = present(store);
      assert.equal((await forget(store, A)).bytes, 0);
      await importImage(store, B, [ALONE]);
      await collect(store, 'remove', 2 * DAY_MS);
      assert.deepEqual(
        kept.filter((path) => !present(store).includes(path)),
        [],
      );
      await assert.rejects(async () => {
        await Promise.resolve();
        store.findImage(A);
      });
      const removed = await collect(store, 'remove', 4 * DAY_MS);
      assert.equal(removed.of('removed').count, 2);
      await assertOnlyNeeded(store);
      assert.deepEqual(readdirSync(store.layout.removed), []);
    }, 3 * DAY_MS);
  });
});

describe('what others left', () => {
  it('goes when it is dead or old, and all of it when that is asked for', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE]);
      const { downloads, quarantine, transactions } = store.layout;
      for (const directory of [downloads, quarantine]) {
        mkdirSync(directory);
        writeFileSync(join(directory, 'one'), Buffer.alloc(5000));
      }
      mkdirSync(join(transactions, 'dead'));
      writeFileSync(join(transactions, 'dead', 'object'), 'abc');
      const now = await collect(store);
      assert.deepEqual(now.of('imports'), { count: 1, bytes: 3 });
      assert.equal(now.bytes, 3);
      utimesSync(join(downloads, 'one'), 1, 1);
      assert.equal((await collect(store, 'look', 6 * DAY_MS)).bytes, 0);
      assert.deepEqual((await collect(store, 'look', 8 * DAY_MS)).of('downloads'), {
        count: 1,
        bytes: 5000,
      });
      assert.equal((await collect(store, 'look', 8 * DAY_MS)).of('quarantine').count, 0);
      assert.equal((await collect(store, 'look', 31 * DAY_MS)).of('quarantine').count, 1);
      const all = { mode: 'remove', leftovers: 'all', now: new Date(), signal } as const;
      assert.equal((await store.collectGarbage(all)).bytes, 10_000);
      assert.deepEqual([readdirSync(downloads), readdirSync(quarantine)], [[], []]);
    });
  });
});

describe('removing images', () => {
  const sets: readonly [string, readonly string[]][] = [
    ['one that shares its base and a file', [A]],
    ['the other that does', [B]],
    ['both', [A, B]],
    ['one that shares nothing', [C]],
    ['all', [A, B, C]],
    ['one of two names', ['quay.io/x/a:alias']],
  ];
  for (const [what, names] of sets) {
    it(`frees at once what only they needed: ${what}`, async () => {
      await withStore(async (store) => {
        await importImage(store, A, [BASE, APP_A]);
        await importImage(store, 'quay.io/x/a:alias', [BASE, APP_A]);
        await importImage(store, B, [BASE, APP_B]);
        await importImage(store, C, [ALONE]);
        if (names.includes(A)) unname(store, 'quay.io/x/a:alias');
        const before = contentFiles(store);
        const { bytes } = await forget(store, ...names);
        await assertOnlyNeeded(store);
        const freed = [...before].filter(([path]) => !contentFiles(store).has(path));
        assert.equal(
          bytes,
          freed.reduce((sum, [, size]) => sum + size, 0),
        );
        assert.equal((await collect(store)).bytes, 0);
      });
    });
  }

  it('keeps what a file that is hidden in another image needs', async () => {
    await withStore(async (store) => {
      const hidden = layerOf({ 'opt/x': 'shared and hidden', 'opt/y': 'y' });
      const top = layerOf({ 'opt/z': 'z' }, 'opt/x');
      await importImage(store, A, [layerOf({ 'bin/x': 'shared and hidden' })]);
      await importImage(store, B, [hidden, top]);
      await forget(store, A);
      assert.ok(store.hasLayer(hidden.diffId));
      await assertOnlyNeeded(store);
    });
  });

  it('is of use with a damaged tree too: a collection finds the rest', async () => {
    await withStore(async (store) => {
      const record = await importImage(store, A, [BASE, APP_A]);
      await importImage(store, C, [ALONE]);
      writeFileSync(store.layout.tree(record.treeId), 'damaged');
      await forget(store, A);
      await collect(store);
      await assertOnlyNeeded(store);
    });
  });
});

describe('an import beside a collection', () => {
  it('that counted on what was collected says so and leaves nothing', async () => {
    await withStore(async (store) => {
      await importImage(store, A, [BASE]);
      const counting = async (): Promise<void> => {
        await using transaction = await store.beginImport(signal);
        await transaction.importLayer(layerImport(APP_A));
        await forget(store, A);
        await transaction.commit(newRef(B, [BASE, APP_A]));
      };
      await assert.rejects(counting, (error: Error & { code: string }) => {
        assert.ok(['OBJECT_VANISHED', 'NOT_IN_STORE'].includes(error.code), error.message);
        return true;
      });
      assert.deepEqual(present(store), []);
    });
  });

  it('loses nothing of what it staged before', async () => {
    await withStore(async (store) => {
      await using transaction = await store.beginImport(signal);
      await transaction.importLayer(layerImport(BASE));
      await collect(store);
      transaction.putBlob(sha256(CONFIG), CONFIG);
      transaction.putBlob(sha256(MANIFEST), MANIFEST);
      await transaction.commit(newRef(B, [BASE]));
      await assertOnlyNeeded(store);
    });
  });
});
