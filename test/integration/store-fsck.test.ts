// SPDX-License-Identifier: Apache-2.0
// What a check of the store finds: each kind of damage by itself, and nothing where there is none.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { isDamage } from '../../src/store/check/finding.ts';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import { refPath } from '../../src/store/ref/ref-path.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { checkHere } from '../support/store/check-store-here.ts';
import { startImport } from '../support/store/start-import.ts';
import { importImage, layerBlob, MANIFEST, snapshot } from '../support/store/store-layers.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';

const LIBC = noise('libc', 300_000);
const HUGE = noise('huge', 3 * 1024 * 1024 + 5);
const SMALL = noise('small', 300);
const BASE = layerBlob(
  tar(
    { path: 'etc/small', content: SMALL },
    { path: 'etc/other', content: 'other\n' },
    { path: 'usr/lib/libc.so.6', content: LIBC, mode: 0o755 },
    { path: 'usr/lib/libc.so', type: '1', link: 'usr/lib/libc.so.6' },
    { path: 'usr/bin/huge', content: HUGE },
  ),
);
const TOP = layerBlob(tar({ path: 'opt/copy-of-libc', content: LIBC }));

function noise(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** Takes a name away, as rmi does; what it stood for stays. */
function forget({ layout }: Store, { reference, manifestDigest }: RefRecord): void {
  rmSync(join(layout.refs, refPath(reference, manifestDigest)));
}

/** Flips the lowest bit of one byte, as a failing disk does: mode and times are put back. */
function flip(path: string, at: number): void {
  const { mode, atime, mtime } = statSync(path);
  chmodSync(path, 0o600);
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
  closeSync(fd);
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atime, mtime);
}

async function withImages(
  use: (store: Store, base: RefRecord, top: RefRecord) => Promise<void>,
): Promise<void> {
  using tmp = temporaryDirectory('fsck', '/dev/shm');
  const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  const base = await importImage(store, 'quay.io/x/base:1', [BASE]);
  const top = await importImage(store, 'quay.io/x/top:1', [BASE, TOP]);
  await use(store, base, top);
}

interface Case {
  readonly name: string;
  readonly damage: (store: Store, base: RefRecord, top: RefRecord) => void;
  /** One line a finding: kind, problem, how many trees need it, paths. */
  readonly finds: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'nothing in a store that is whole', damage: () => {}, finds: [] },
  {
    name: 'a flipped bit in an object, with all that need it',
    damage: ({ layout }) => flip(layout.object(sha256(LIBC)), 4242),
    finds: ['object damaged 2 opt/copy-of-libc usr/lib/libc.so usr/lib/libc.so.6'],
  },
  {
    name: 'a truncated object',
    damage: ({ layout }) => truncateSync(layout.object(sha256(HUGE)), 1),
    finds: ['object damaged 2 usr/bin/huge'],
  },
  {
    name: 'an empty object, as a power cut leaves it',
    damage: ({ layout }) => truncateSync(layout.object(sha256(HUGE)), 0),
    finds: ['object damaged 2 usr/bin/huge'],
  },
  {
    name: 'an object that is a link',
    damage: ({ layout }) => {
      rmSync(layout.object(sha256(HUGE)));
      symlinkSync('/etc/passwd', layout.object(sha256(HUGE)));
    },
    finds: ['object damaged 2 usr/bin/huge'],
  },
  {
    name: 'an object that is missing',
    damage: ({ layout }) => rmSync(layout.object(sha256(LIBC))),
    finds: ['object missing 2 opt/copy-of-libc usr/lib/libc.so usr/lib/libc.so.6'],
  },
  {
    name: 'a bad object that nothing needs',
    damage: ({ layout }) => {
      mkdirSync(join(layout.objects, '00'), { recursive: true, mode: 0o700 });
      writeFileSync(join(layout.objects, '00', '0'.repeat(62)), 'x', { mode: 0o400 });
    },
    finds: ['object damaged 0'],
  },
  {
    name: 'an object that others may write',
    damage: ({ layout }) => chmodSync(layout.object(sha256(LIBC)), 0o666),
    finds: ['object mode 0'],
  },
  {
    name: 'a directory that others may read',
    damage: ({ layout }) => chmodSync(layout.objects, 0o755),
    finds: ['file mode 0'],
  },
  {
    name: 'a flipped bit in a small file',
    damage: ({ layout }) => flip(layout.layer(layerOfDiffId(BASE.diffId).key), 16 + 100),
    finds: ['layer damaged 2 etc/small'],
  },
  {
    name: 'a flipped bit in the entries of a layer',
    damage: ({ layout }) => {
      const path = layout.layer(layerOfDiffId(BASE.diffId).key);
      flip(path, statSync(path).size - 120);
    },
    finds: ['layer damaged 2'],
  },
  {
    name: 'a layer that is missing',
    damage: ({ layout }) => rmSync(layout.layer(layerOfDiffId(BASE.diffId).key)),
    finds: ['layer missing 2 etc/other etc/small'],
  },
  {
    name: 'a layer under the name of another',
    damage: ({ layout }) =>
      renameSync(
        layout.layer(layerOfDiffId(BASE.diffId).key),
        layout.layer(layerOfDiffId(TOP.diffId).key),
      ),
    finds: ['layer damaged 1', 'layer missing 2 etc/other etc/small'],
  },
  {
    name: 'a flipped bit in a tree',
    damage: ({ layout }, base) => flip(layout.tree(base.treeId), 200),
    finds: ['tree damaged 1'],
  },
  {
    name: 'a tree that is missing',
    damage: ({ layout }, base) => rmSync(layout.tree(base.treeId)),
    finds: ['tree missing 1'],
  },
  {
    name: 'a flipped bit in an image',
    damage: ({ layout }, base) => flip(layout.image(base.treeId), 1500),
    finds: ['image damaged 1'],
  },
  {
    name: 'a truncated image',
    damage: ({ layout }, base) => truncateSync(layout.image(base.treeId), 4096),
    finds: ['image damaged 1'],
  },
  {
    name: 'an image that is missing',
    damage: ({ layout }, base) => rmSync(layout.image(base.treeId)),
    finds: ['image missing 1'],
  },
  {
    name: 'a blob that is damaged',
    damage: ({ layout }) => flip(layout.blob(sha256(MANIFEST)), 3),
    finds: ['blob damaged 2'],
  },
  {
    name: 'a blob that is missing',
    damage: ({ layout }) => rmSync(layout.blob(sha256(MANIFEST))),
    finds: ['blob missing 2'],
  },
  {
    name: 'a ref that is no record',
    damage: ({ layout }, base) => {
      writeFileSync(join(layout.refs, refPath(base.reference, base.manifestDigest)), '{');
    },
    finds: ['ref damaged 0'],
  },
  {
    name: 'strangers, without calling them damage',
    damage: ({ layout }) => {
      writeFileSync(join(layout.directory, 'notes.txt'), '');
      writeFileSync(join(layout.objects, 'x'), '');
      writeFileSync(join(layout.trees, 'x'), '');
      writeFileSync(join(layout.images, 'x'), '');
      writeFileSync(join(layout.refs, 'x'), '');
    },
    finds: Array.from({ length: 5 }, () => 'file stranger 0'),
  },
];

describe('a check of the store', () => {
  for (const { name, damage, finds } of CASES) {
    it(`a53: finds ${name}`, async () => {
      await withImages(async (store, base, top) => {
        damage(store, base, top);
        const { findings } = await checkHere(store);
        const lines = findings.map(({ kind, problem, needs }) => {
          const paths = new Set(needs.flatMap((need) => need.paths));
          return [kind, problem, needs.length, ...[...paths].sort()].join(' ');
        });
        assert.deepEqual(lines.sort(), [...finds].sort());
      });
    });
  }

  it('changes nothing but its own record', async () => {
    await withImages(async (store) => {
      const before = snapshot(store.layout.directory);
      await checkHere(store);
      const after = snapshot(store.layout.directory);
      assert.deepEqual(
        after.filter((line) => !line.startsWith('checked')),
        before,
      );
    });
  });

  it('of a store that is not there finds nothing and makes none', async () => {
    using tmp = temporaryDirectory('fsck', '/dev/shm');
    const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
    assert.deepEqual((await checkHere(store)).findings, []);
    assert.deepEqual(readdirSync(tmp.directory), []);
  });

  it('does not mind what a dead commit left without a name', async () => {
    await withImages(async (store, base) => {
      forget(store, base);
      rmSync(store.layout.image(base.treeId));
      assert.deepEqual((await checkHere(store)).findings, []);
    });
  });

  it('minds the trees of generations that no ref names', async () => {
    await withImages(async (store, base) => {
      forget(store, base);
      rmSync(store.layout.image(base.treeId));
      const generationTrees = (): ReadonlySet<typeof base.treeId> => new Set([base.treeId]);
      const { findings } = await checkHere(store, { fast: false, generationTrees });
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        ['image'],
      );
    });
  });

  it('finds nothing beside running imports', async () => {
    using tmp = temporaryDirectory('fsck', '/dev/shm');
    const directory = join(tmp.directory, 'store');
    const store = await openStore(directory, { log: silentLog });
    const importers = ['a', 'b', 'c'].map((name) => startImport(directory, `quay.io/x/${name}:1`));
    const all = Promise.all(importers.map(({ ended }) => ended));
    const isOver = (): boolean => importers.every(({ child }) => child.exitCode !== null);
    while (!isOver()) {
      const { findings } = await checkHere(store);
      assert.deepEqual(findings.filter(isDamage), []);
    }
    assert.deepEqual(await all, [0, 0, 0]);
  });
});

describe('a fast check', () => {
  it('reads everything once, and then only what changed', async () => {
    await withImages(async (store) => {
      const first = await checkHere(store, { fast: true });
      assert.ok(first.readBytes > HUGE.length + LIBC.length);
      const second = await checkHere(store, { fast: true });
      assert.deepEqual(second.findings, []);
      assert.ok(second.readBytes < 10_000, String(second.readBytes));
      await importImage(store, 'quay.io/x/new:1', [
        layerBlob(tar({ path: 'new', content: noise('new', 50_000) })),
      ]);
      const third = await checkHere(store, { fast: true });
      assert.ok(third.readBytes > 50_000 && third.readBytes < 100_000, String(third.readBytes));
    });
  });

  it('a53: finds what was written to, put in place of something, or is missing', async () => {
    await withImages(async (store, base) => {
      await checkHere(store);
      flip(store.layout.object(sha256(LIBC)), 77);
      flip(store.layout.image(base.treeId), 1500);
      rmSync(store.layout.object(sha256(HUGE)));
      const { findings } = await checkHere(store, { fast: true });
      const seen = findings.map(({ kind, problem }) => `${kind} ${problem}`).sort();
      assert.deepEqual(seen, ['image damaged', 'object damaged', 'object missing']);
    });
  });

  it('goes by no record that is damaged', async () => {
    await withImages(async (store) => {
      await checkHere(store);
      for (const name of readdirSync(store.layout.checked)) {
        truncateSync(join(store.layout.checked, name), 20);
      }
      const { readBytes, findings } = await checkHere(store, { fast: true });
      assert.deepEqual(findings, []);
      assert.ok(readBytes > HUGE.length);
    });
  });
});
