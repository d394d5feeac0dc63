// SPDX-License-Identifier: Apache-2.0
// Stores that are only read: finding them, using what is in them, copying from them.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestHex } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { replaceFiles } from '../../src/store/check/replacement.ts';
import { writePlainTree } from '../../src/store/checkout/plain-tree.ts';
import { openAdditionalStores } from '../../src/store/reader/open-additional-stores.ts';
import type { AdditionalStore } from '../../src/store/reader/additional-store.ts';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { Stores } from '../../src/store/stores.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { runChecked } from '../../src/sys/process.ts';
import { seeTree } from '../support/store/compare-trees.ts';
import { openLoopImage } from '../support/disk/loop-image.ts';
import { noise } from '../support/store/sample-tree.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import {
  CONFIG,
  importImage,
  layerBlob,
  layerImport,
  MANIFEST,
  newRef,
  snapshot,
} from '../support/store/store-layers.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { sha256 } from '../../src/base/digest.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';

const NAME = 'registry.example/etcd:3.5';
const LARGE = noise('large', 200_000);
const BASE = layerBlob(
  tar(
    { path: 'etc/', mode: 0o755, type: '5' },
    { path: 'etc/small', content: 'a small file\n', mode: 0o640, uid: 7 },
    { path: 'usr/bin/large', content: LARGE, mode: 0o4755 },
    { path: 'usr/lib/huge', content: noise('huge', 3_000_000) },
  ),
);
const TOP = layerBlob(tar({ path: 'usr/share/top', content: noise('top', 9000) }));
const LAYERS = [BASE, TOP];
const { signal } = new AbortController();

interface Opened {
  readonly stores: readonly AdditionalStore[];
  readonly warnings: readonly string[];
}

async function open(
  directories: readonly string[],
  origin: 'named' | 'usual' = 'named',
): Promise<Opened> {
  const warnings: string[] = [];
  const stores = await openAdditionalStores(
    directories.map((path) => ({ path, origin })),
    {
      host: new HostRoot('/'),
      local: '/nowhere',
      log: { ...silentLog, warn: (line) => warnings.push(line) },
      signal,
    },
  );
  return { stores, warnings };
}

/** A store of one image in `directory`, opened as an additional one. */
async function published(
  directory: string,
): Promise<{ record: RefRecord; store: AdditionalStore; warnings: readonly string[] }> {
  const record = await importImage(await openStore(directory, { log: silentLog }), NAME, LAYERS);
  const { stores, warnings } = await open([directory]);
  const [store] = stores;
  assert.ok(store, warnings.join());
  return { record, store, warnings };
}

/** Copies the layers of the image and commits it, as a prefetch does. */
async function copyImage(to: Store, from: AdditionalStore): Promise<readonly boolean[]> {
  await using transaction = await to.beginImport(signal);
  const copied = [];
  for (const layer of LAYERS) {
    const done = await transaction.copyLayer(layerOfDiffId(layer.diffId), from);
    if (!done) await transaction.importLayer(layerImport(layer));
    copied.push(done);
  }
  transaction.putBlob(sha256(CONFIG), CONFIG);
  transaction.putBlob(sha256(MANIFEST), MANIFEST);
  await transaction.commit(newRef(NAME, LAYERS));
  return copied;
}

function objectPath(directory: string, content: Buffer): string {
  const hex = digestHex(sha256(content));
  return join(directory, 'objects', hex.slice(0, 2), hex.slice(2));
}

describe('an additional store', () => {
  it('is read on a file system that nobody can write, without a lock', async () => {
    await using image = await openLoopImage({ fs: 'ext4', sizeMb: 32 });
    const directory = join(image.directory, 'store');
    await importImage(await openStore(directory, { log: silentLog }), NAME, LAYERS);
    rmSync(join(directory, 'lock'));
    const before = snapshot(directory);
    await runChecked('mount', ['-o', 'remount,ro', image.directory]);
    const { stores, warnings } = await open([directory]);
    const found = new Stores(await openStore('/nowhere', { log: silentLog }), stores).findImage(
      'etcd:3.5',
    );
    assert.equal(found.store, stores[0]);
    assert.ok(found.store.holdsImage(found.record));
    assert.ok(found.store.readStoredTree(found.record.treeId).objects.length > 0);
    assert.deepEqual(warnings, []);
    assert.deepEqual(snapshot(directory), before);
  });

  it('comes after the own store, which a name means first', async () => {
    using tmp = temporaryDirectory('additional');
    const { record, store } = await published(join(tmp.directory, 'vendor'));
    const own = await openStore(join(tmp.directory, 'own'), { log: silentLog });
    const stores = new Stores(own, [store]);
    assert.equal(stores.findImage(NAME).store, store);
    assert.deepEqual(stores.findElsewhere(record.manifestDigest, record.treeId)?.store, store);
    await importImage(own, NAME, [TOP]);
    assert.equal(stores.findImage(NAME).store, own);
    assert.equal(stores.listImages().length, 2);
  });

  it('that was opened to others stays open to them, whatever is imported later', async () => {
    using tmp = temporaryDirectory('additional');
    chmodSync(tmp.directory, 0o755);
    const directory = join(tmp.directory, 'store');
    const store = await openStore(directory, { log: silentLog });
    await importImage(store, NAME, [BASE]);
    await runChecked(
      'sh',
      ['-c', 'chmod 755 . && chmod -R a+rX [!tlc]* layers trees && chmod -R a+x objects'],
      {
        cwd: directory,
      },
    );
    const umask = process.umask(0o077);
    try {
      await importImage(store, 'other.example/etcd:3.6', LAYERS);
    } finally {
      process.umask(umask);
    }
    const found = async (...tests: readonly string[]): Promise<string> => {
      const { stdout } = await runChecked('setpriv', [
        ...['--reuid=1234', '--regid=1234', '--clear-groups', 'find', directory],
        ...['(', '-name', 'txn', '-o', '-name', 'lock', ')', '-prune', '-o', ...tests, '-print'],
      ]);
      return stdout.toString();
    };
    assert.equal(await found('!', '-readable'), '');
    assert.equal(await found('-writable'), '');
    assert.equal(await found('-path', '*/objects/*', '!', '-executable'), '');
    const repaired = objectPath(directory, LARGE);
    const good = join(directory, 'txn', 'good');
    writeFileSync(good, LARGE, { mode: 0o400 });
    await replaceFiles(store.layout, [{ place: repaired, good }], signal);
    assert.equal(statSync(repaired).mode & 0o777, 0o555);
  });

  const broken: readonly {
    readonly what: string;
    readonly spoil: (directory: string) => void;
    readonly warning: RegExp;
  }[] = [
    {
      what: 'is not there',
      spoil: (directory) => rmSync(directory, { recursive: true }),
      warning: /^additional store ".*": it is not there, or not whole; it is left out$/,
    },
    {
      what: 'is of a newer format',
      spoil: (directory) =>
        writeFileSync(join(directory, 'format.json'), '{"version":2,"features":[]}'),
      warning: /format\.json" says version 2, this sysct knows 1; it is left out$/,
    },
    {
      what: 'lacks a part',
      spoil: (directory) => rmSync(join(directory, 'trees'), { recursive: true }),
      warning: /: it is not there, or not whole; it is left out$/,
    },
    {
      what: 'can be written by others',
      spoil: (directory) => chmodSync(directory, 0o777),
      warning: /: others than root can write it; it is left out$/,
    },
    {
      what: "is another user's",
      spoil: (directory) => chownSync(directory, 12, 12),
      warning: /: others than root can write it; it is left out$/,
    },
  ];
  for (const { what, spoil, warning } of broken) {
    it(`that ${what} is left out, with a warning`, async () => {
      using tmp = temporaryDirectory('additional');
      const good = join(tmp.directory, 'good');
      const bad = join(tmp.directory, 'bad');
      await published(good);
      await published(bad);
      spoil(bad);
      const { stores, warnings } = await open([bad, good]);
      assert.deepEqual(
        stores.map(({ hostPath }) => hostPath),
        [good],
      );
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', warning);
    });
  }

  it('in the usual place need not be there', async () => {
    using tmp = temporaryDirectory('additional');
    assert.deepEqual(await open([tmp.directory, '/nowhere'], 'usual'), {
      stores: [],
      warnings: [],
    });
  });

  it('that is named twice, or is the own one, counts once', async () => {
    using tmp = temporaryDirectory('additional');
    await published(tmp.directory);
    assert.equal((await open([tmp.directory, `${tmp.directory}/.`])).stores.length, 1);
    const { stores } = await open([tmp.directory]);
    assert.equal(stores[0]?.hostPath, tmp.directory);
  });

  it('with a damaged ref lacks that image, and does not hide others', async () => {
    using tmp = temporaryDirectory('additional');
    const { store, warnings } = await published(tmp.directory);
    writeFileSync(join(tmp.directory, 'refs/registry.example/etcd/:3.5'), '{');
    const own = await openStore('/nowhere', { log: silentLog });
    assert.deepEqual(new Stores(own, [store]).listImages(), []);
    assert.match(warnings.join(), /it is not JSON; it is left out/);
  });

  it('does not hold an image one of whose objects is missing', async () => {
    using tmp = temporaryDirectory('additional');
    const { record, store, warnings } = await published(tmp.directory);
    assert.ok(store.holdsImage(record));
    rmSync(objectPath(tmp.directory, LARGE));
    assert.equal(store.holdsImage(record), false);
    assert.match(warnings.join(), /etcd:3\.5 is not whole: object sha256:[0-9a-f]+ is not there/);
  });
});

describe('copying a layer from an additional store', () => {
  it('gives what an import of its blob gives, and nothing depends on the other store', async () => {
    using tmp = temporaryDirectory('additional');
    const { record, store } = await published(join(tmp.directory, 'vendor'));
    const own = await openStore(join(tmp.directory, 'own'), { log: silentLog });
    assert.deepEqual(await copyImage(own, store), [true, true]);
    rmSync(join(tmp.directory, 'vendor'), { recursive: true });
    await assertSound(own.layout.directory);
    assert.deepEqual(own.findImage(NAME), record);
    assert.deepEqual(readdirSync(own.layout.transactions), []);
  });

  for (const [what, spoil] of [
    [
      'an object has other bytes',
      (path: string): void => {
        chmodSync(path, 0o600);
        writeFileSync(path, 'x');
      },
    ],
    ['an object is cut off', (path: string): void => truncateSync(path, 100)],
    ['an object is missing', (path: string): void => rmSync(path)],
  ] as const) {
    it(`leaves it to be fetched where ${what}`, async () => {
      using tmp = temporaryDirectory('additional');
      const vendor = join(tmp.directory, 'vendor');
      const { store, warnings } = await published(vendor);
      spoil(objectPath(vendor, LARGE));
      const own = await openStore(join(tmp.directory, 'own'), { log: silentLog });
      assert.deepEqual(await copyImage(own, store), [false, true]);
      assert.match(warnings.join(), /^additional store .*; it is left out$/);
      await assertSound(own.layout.directory);
    });
  }

  it('leaves it to be fetched where the contents of small files are damaged', async () => {
    using tmp = temporaryDirectory('additional');
    const vendor = join(tmp.directory, 'vendor');
    const { store } = await published(vendor);
    const path = store.layout.layer(layerOfDiffId(BASE.diffId).key);
    const bytes = readFileSync(path);
    bytes.write('A small', bytes.indexOf('a small file'));
    writeFileSync(path, bytes);
    const own = await openStore(join(tmp.directory, 'own'), { log: silentLog });
    assert.deepEqual(await copyImage(own, store), [false, true]);
    await assertSound(own.layout.directory);
  });

  it('goes on where it was cut short', async () => {
    using tmp = temporaryDirectory('additional', '/dev/shm');
    const vendor = join(tmp.directory, 'vendor');
    const files = Array.from({ length: 5 }, (_, n) => Buffer.alloc(40_000_000, `${n}`));
    const layer = layerBlob(
      tar(...files.map((content, n) => ({ path: `f${n}`, content }))),
      'none',
    );
    await importImage(await openStore(vendor, { log: silentLog }), NAME, [layer]);
    const [store] = (await open([vendor])).stores;
    assert.ok(store);
    const own = await openStore(join(tmp.directory, 'own'), { log: silentLog });
    const first = files[0] ?? Buffer.alloc(0);
    const last = objectPath(vendor, files[4] ?? Buffer.alloc(0));
    const kept = readFileSync(last);
    rmSync(last);
    {
      await using transaction = await own.beginImport(signal);
      assert.equal(await transaction.copyLayer(layerOfDiffId(layer.diffId), store), false);
    }
    await assertSound(own.layout.directory);
    assert.ok(existsSync(objectPath(own.layout.directory, first)), 'what was copied is there');
    writeFileSync(last, kept);
    rmSync(objectPath(vendor, first));
    await using transaction = await own.beginImport(signal);
    assert.equal(await transaction.copyLayer(layerOfDiffId(layer.diffId), store), true);
  });
});

describe('a plain tree of an image in an additional store', () => {
  it('has the contents, and is not written from damaged ones', async () => {
    using tmp = temporaryDirectory('additional');
    const vendor = join(tmp.directory, 'vendor');
    const { record, store } = await published(vendor);
    const tree = store.readTree(record.treeId);
    using sources = store.contentSources();
    const written = join(tmp.directory, 'written');
    mkdirSync(written);
    await writePlainTree(tree, written, sources, signal);
    assert.deepEqual(readFileSync(join(written, 'usr/bin/large')), LARGE);
    assert.equal((await seeTree(written)).size > 0, true);
    const path = objectPath(vendor, LARGE);
    chmodSync(path, 0o600);
    writeFileSync(path, Buffer.alloc(LARGE.length));
    const again = join(tmp.directory, 'again');
    mkdirSync(again);
    await assert.rejects(writePlainTree(tree, again, sources, signal), { code: 'STORE_DAMAGED' });
  });
});
