// SPDX-License-Identifier: Apache-2.0
// zstd:chunked layers of which the setting leaves the diffID unchecked: that they come to the same trees as their
// archives, and that what they claim is nothing to any other image.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { type Digest, sha256 } from '../../src/base/digest.ts';
import type { Log } from '../../src/base/log.ts';
import { silentLog } from '../../src/base/log.ts';
import { noProgress } from '../../src/base/progress.ts';
import { findStored } from '../../src/image/find-stored.ts';
import { openSource } from '../../src/image/source/open-source.ts';
import { pullImage } from '../../src/image/pull-image.ts';
import { repairImages } from '../../src/image/repair/repair-images.ts';
import { StoredSource } from '../../src/image/source/stored-source.ts';
import type { TrustGate } from '../../src/image/gate/trust-gate.ts';
import { platformOfNode } from '../../src/oci/platform.ts';
import { noRegistryOptions } from '../../src/registry/request/registry-access.ts';
import { layerOfDiffId, layerOfToc } from '../../src/store/disk/layer-identity.ts';
import { openAdditionalStores } from '../../src/store/reader/open-additional-stores.ts';
import { identityOf, type RefRecord } from '../../src/store/ref/ref-record.ts';
import { type ChunkedDiffIdSetting, openStore, type Store } from '../../src/store/store.ts';
import { Stores } from '../../src/store/stores.ts';
import { walkTree } from '../../src/store/tree/tree.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { runChecked } from '../../src/sys/process.ts';
import { parsePolicy } from '../../src/trust/policy/policy.ts';
import {
  type BlobRegistry,
  type ServedLayer,
  startBlobRegistry,
} from '../support/registry/blob-registry.ts';
import { checkHere } from '../support/store/check-store-here.ts';
import {
  type ChunkedLayerBlob,
  type ChunkedMember,
  chunkedLayer,
  type Tampering,
  type WireTocEntry,
} from '../support/image/chunked-layer.ts';
import { contentFiles, filesOfImages } from '../support/store/needed-files.ts';
import { pullInto } from '../support/store/pull-into.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const noise = (seed: string, bytes: number): Buffer =>
  createHash('shake256', { outputLength: bytes }).update(seed).digest();

const LARGE = noise('large', 600_000);
const SHARED: readonly ChunkedMember[] = [
  { path: 'usr/', type: '5', mode: 0o755 },
  { path: 'usr/large', content: LARGE, mode: 0o4755, uid: 3, frames: 2 },
  { path: 'usr/small', content: noise('small', 400), mtime: 1_700_000_000 },
];
const OLD = chunkedLayer([...SHARED, { path: 'usr/version', content: noise('1', 50_000) }]);
const NEW_MEMBERS: readonly ChunkedMember[] = [
  ...SHARED,
  { path: 'usr/again', type: '1', link: 'usr/large' },
  { path: 'usr/link', type: '2', link: '../usr/small', mode: 0o777 },
  { path: 'usr/empty', mode: 0o600, gid: 7 },
  { path: 'usr/tty', type: '3', major: 5, minor: 1, mode: 0o620, gid: 5 },
  { path: 'usr/disk', type: '4', major: 8, minor: 3 },
  { path: 'usr/pipe', type: '6' },
  { path: 'usr/sub/.wh..wh..opq' },
  { path: 'usr/.wh.gone' },
  { path: './usr/sub//deep/', type: '5', mode: 0o1777 },
  { path: '/usr/sub/../absolute', content: Buffer.from('absolute') },
  { path: 'usr/version', content: noise('2', 50_000), frames: 3 },
  { path: 'usr/fresh-small', content: noise('fresh', 300) },
];
const NEW = chunkedLayer(NEW_MEMBERS);
const tocDigestOf = ({ descriptor }: ChunkedLayerBlob): Digest =>
  descriptor.annotations['io.github.containers.zstd-chunked.manifest-checksum'] as Digest;

interface Site {
  readonly registry: BlobRegistry;
  readonly directory: string;
  store(setting: ChunkedDiffIdSetting): Promise<Store>;
  pull(setting: ChunkedDiffIdSetting, tag: string, log?: Log): Promise<RefRecord>;
}

/** A store that has {@link OLD}, and a registry; the store is opened with either setting. */
async function withSite(act: (site: Site) => Promise<void>): Promise<void> {
  using tmp = temporaryDirectory('chunked-toc');
  await using registry = await startBlobRegistry();
  registry.add('old', [OLD]);
  registry.add('new', [NEW]);
  const directory = join(tmp.directory, 'store');
  const store = async (chunkedDiffId: ChunkedDiffIdSetting): Promise<Store> =>
    await openStore(directory, { log: silentLog, chunkedDiffId });
  const pull = async (setting: ChunkedDiffIdSetting, tag: string, log?: Log): Promise<RefRecord> =>
    await pullInto(await store(setting), `${registry.server.host}/team/app:${tag}`, {
      ...(log && { log }),
    });
  await pull('check', 'old');
  registry.sent.length = 0;
  await act({ registry, directory, store, pull });
  await assertSound(directory);
  const { findings } = await checkHere(await store('check'));
  assert.deepEqual(findings, []);
  const opened = await store('check');
  assert.deepEqual(readdirSync(opened.layout.transactions), []);
  assert.deepEqual(readdirSync(opened.layout.downloads), []);
}

const proofsOf = ({ layers }: RefRecord): readonly string[] =>
  layers.map((layer) => identityOf(layer).proof);

/** The record of a pull into a store of its own, all of it checked. */
async function pulledWhole(layers: readonly ServedLayer[]): Promise<RefRecord> {
  using tmp = temporaryDirectory('whole');
  await using registry = await startBlobRegistry(false);
  registry.add('whole', layers);
  const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  return await pullInto(store, `${registry.server.host}/team/app:whole`);
}

const paths = (store: Store, { treeId }: RefRecord): string[] =>
  [...walkTree(store.readTree(treeId))].map(({ path }) => path).sort();

/** A layer whose table of contents says otherwise than its archive. */
function lying(change: (entries: WireTocEntry[]) => void, tampering: Tampering = {}) {
  return chunkedLayer(NEW_MEMBERS, { ...tampering, toc: ({ entries }) => change(entries) });
}

const EVIL = lying((entries) => {
  entries.push({ ...entries.find(({ name }) => name === 'usr/link')!, name: 'usr/evil' });
});

describe('a zstd:chunked layer whose diffID is not checked', () => {
  it('comes to the tree that its archive does, from its table of contents and what the store lacks', async () => {
    const whole = await pulledWhole([NEW]);
    await withSite(async ({ registry, pull, store }) => {
      const record = await pull('skip', 'new');
      assert.deepEqual(proofsOf(record), ['toc']);
      assert.equal(record.treeId, whole.treeId);
      const sent = registry.sentOf(NEW.descriptor.digest);
      assert.ok(sent > 50_000 && sent < 60_000, `${sent} were sent`);
      assert.ok(!(await store('skip')).hasLayer(NEW.diffId));
    });
  });

  it('is not asked for again, nor is anything of it', async () => {
    await withSite(async ({ registry, pull }) => {
      const first = await pull('skip', 'new');
      registry.sent.length = 0;
      const second = await pull('skip', 'new');
      assert.deepEqual(second.layers, first.layers);
      assert.deepEqual(registry.sent, []);
    });
  });

  it('is known by its diffID where the store has it so', async () => {
    await withSite(async ({ registry, pull }) => {
      await pull('check', 'new');
      registry.sent.length = 0;
      assert.deepEqual(proofsOf(await pull('skip', 'new')), ['diff-id']);
      assert.deepEqual(registry.sent, []);
    });
  });

  it('is checked by its diffID where all of it is fetched', async () => {
    using tmp = temporaryDirectory('chunked-toc');
    await using registry = await startBlobRegistry();
    registry.add('new', [NEW]);
    const options = { log: silentLog, chunkedDiffId: 'skip' } as const;
    const store = await openStore(join(tmp.directory, 'store'), options);
    const record = await pullInto(store, `${registry.server.host}/team/app:new`);
    assert.deepEqual(proofsOf(record), ['diff-id']);
  });

  it('may lack a tar-split, as those of older tools do', async () => {
    const { treeId } = await pulledWhole([NEW]);
    const layer = chunkedLayer(NEW_MEMBERS, {
      annotations: (all) => void delete all['io.github.containers.zstd-chunked.tarsplit-position'],
      toc: (toc) => void delete toc.tarSplitDigest,
    });
    await withSite(async ({ registry, pull }) => {
      registry.add('new', [layer]);
      const record = await pull('skip', 'new');
      assert.deepEqual([proofsOf(record), record.treeId], [['toc'], treeId]);
      assert.ok(registry.sentOf(layer.descriptor.digest) < 60_000);
    });
  });

  it('may come twice in an image, and beside others', async () => {
    const other = chunkedLayer([...SHARED, { path: 'usr/other', content: noise('other', 9000) }]);
    const { treeId } = await pulledWhole([OLD, NEW, other, NEW]);
    await withSite(async ({ registry, pull }) => {
      registry.add('new', [OLD, NEW, other, NEW]);
      const record = await pull('skip', 'new');
      assert.deepEqual(proofsOf(record), ['diff-id', 'toc', 'toc', 'toc']);
      assert.equal(record.treeId, treeId);
    });
  });

  const unclear: readonly (readonly [name: string, change: (entry: WireTocEntry) => void])[] = [
    ['a name that was not UTF-8', (entry) => void (entry.linkName = '../\ufffd')],
    ['no time', (entry) => void delete entry.modtime],
    ['an xattr without a value', (entry) => void (entry.xattrs = { 'user.x': '' })],
    ['an unknown key', (entry) => void Object.assign(entry, { flags: 'immutable' })],
    ['a size where there is no content', (entry) => void (entry.size = 1)],
  ];
  for (const [name, change] of unclear) {
    it(`a52: is put together and checked where its table of contents leaves something open: ${name}`, async () => {
      const { treeId } = await pulledWhole([NEW]);
      await withSite(async ({ registry, pull }) => {
        const layer = lying((entries) => change(entries.find(({ type }) => type === 'symlink')!));
        registry.add('new', [layer]);
        const record = await pull('skip', 'new');
        assert.deepEqual([proofsOf(record), record.treeId], [['diff-id'], treeId]);
        assert.ok(registry.sentOf(layer.descriptor.digest) < 60_000);
      });
    });
  }

  const refusedEntries: readonly (readonly [name: string, entry: WireTocEntry])[] = [
    ['a whiteout that names the parent', { type: 'reg', name: 'usr/.wh..' }],
    ['a path that comes twice', { type: 'reg', name: 'usr/small' }],
    ['a hard link out of the tree', { type: 'hardlink', name: 'x', linkName: '../..' }],
    ['a link without a target', { type: 'symlink', name: 'x' }],
    ['an owner that Linux does not have', { type: 'reg', name: 'x', uid: 2 ** 32 }],
    ['a device that Linux does not have', { type: 'char', name: 'x', devMajor: 5000 }],
    ['a root that is a file', { type: 'reg', name: '/' }],
  ];
  for (const [name, entry] of refusedEntries) {
    it(`is fetched whole, and checked, where its table of contents has what no archive may: ${name}`, async () => {
      const { treeId } = await pulledWhole([NEW]);
      const layer = lying((all) => void all.push({ modtime: '2024-01-01T00:00:00Z', ...entry }));
      await withSite(async ({ registry, pull }) => {
        registry.add('new', [layer]);
        const record = await pull('skip', 'new');
        assert.deepEqual([proofsOf(record), record.treeId], [['diff-id'], treeId]);
      });
    });
  }

  it('has its overlay xattrs and its foreign labels left out', async () => {
    const xattrs = {
      'trusted.overlay.redirect': 'L2V0Yy9zaGFkb3c=',
      'security.selinux': 'AAAA',
      'user.kept': '/wA=',
    };
    const layer = lying((entries) => {
      entries.find(({ name }) => name === 'usr/version')!.xattrs = xattrs;
    });
    await withSite(async ({ registry, pull, store }) => {
      registry.add('new', [layer]);
      const record = await pull('skip', 'new');
      assert.deepEqual(proofsOf(record), ['toc']);
      const tree = (await store('skip')).readTree(record.treeId);
      const file = [...walkTree(tree)].find(({ path }) => path === 'usr/version');
      assert.deepEqual([...(file?.inode.xattrs ?? [])], [['user.kept', Buffer.from([0xff, 0])]]);
    });
  });

  const refused: readonly (readonly [name: string, message: RegExp, layer: ChunkedLayerBlob])[] = [
    [
      'another table of contents than its manifest names',
      /the table of contents has the digest/,
      chunkedLayer(NEW_MEMBERS, {
        annotations: (all) =>
          void (all['io.github.containers.zstd-chunked.manifest-checksum'] = sha256('another')),
      }),
    ],
    [
      'another content than its table of contents says',
      /bytes \d+ to \d+ are sha256/,
      chunkedLayer(NEW_MEMBERS, {
        frame: { 'usr/fresh-small': zstdCompressSync(noise('evil', 300)) },
      }),
    ],
  ];
  for (const [name, message, layer] of refused) {
    it(`is refused when it has ${name}`, async () => {
      await withSite(async ({ registry, pull, store }) => {
        registry.add('new', [layer]);
        await assert.rejects(pull('skip', 'new'), { code: 'DIGEST_MISMATCH', message });
        const here = await store('skip');
        assert.ok(!here.hasLayer(layer.diffId));
        assert.ok(!here.holdsLayer(layerOfToc(tocDigestOf(layer))));
      });
    });
  }

  it('takes no small file of the store for what it is not', async () => {
    await withSite(async ({ registry, pull, store }) => {
      const { layout } = await store('skip');
      const path = layout.layer(layerOfDiffId(OLD.diffId).key);
      const bytes = readFileSync(path);
      const damaged = Buffer.from(bytes);
      damaged[20]! ^= 1;
      writeFileSync(path, damaged);
      const warnings: string[] = [];
      const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
      const record = await pull('skip', 'new', log);
      assert.deepEqual(proofsOf(record), ['diff-id']);
      assert.match(warnings.join('\n'), /are not those of .*; fetching all of it/);
      assert.ok(registry.sentOf(NEW.descriptor.digest) > NEW.bytes.length);
      writeFileSync(path, bytes);
    });
  });

  it('is kept whole by a collection, and goes with its name', async () => {
    await withSite(async ({ registry, pull, store }) => {
      // Hidden by the layer above, so that only the layer's own list has it.
      const above = chunkedLayer([{ path: 'usr/.wh.version' }]);
      registry.add('new', [NEW, above]);
      const record = await pull('skip', 'new');
      assert.deepEqual(proofsOf(record), ['toc', 'diff-id']);
      const here = await store('check');
      const { signal } = new AbortController();
      const collect = { mode: 'remove', leftovers: 'all', now: new Date(), signal } as const;
      await here.collectGarbage(collect);
      assert.ok(here.holdsImage(record));
      const usage = await here.measureDiskUsage(new Date());
      assert.equal(usage.garbageBytes, 0);
      await here.removeImages([record], new Date(), signal);
      assert.ok(!existsSync(here.layout.layer(layerOfToc(tocDigestOf(NEW)).key)));
      assert.deepEqual([...contentFiles(here).keys()].sort(), [...filesOfImages(here)].sort());
    });
  });
});

describe('an image whose diffIDs are checked', () => {
  it('gets nothing of one that claims its diffID (table of contents of another image)', async () => {
    const { treeId } = await pulledWhole([NEW]);
    await withSite(async ({ registry, pull, store }) => {
      registry.add('evil', [{ ...EVIL, diffId: NEW.diffId }]);
      const evil = await pull('skip', 'evil');
      const here = await store('skip');
      assert.deepEqual(proofsOf(evil), ['toc']);
      assert.ok(paths(here, evil).includes('usr/evil'));
      assert.ok(!here.hasLayer(NEW.diffId));
      for (const setting of ['skip', 'check'] as const) {
        const record = await pull(setting, 'new');
        assert.equal(record.treeId, treeId, setting);
        assert.ok(!paths(here, record).includes('usr/evil'));
      }
    });
  });

  it('gives what it has to one that claims its diffID, which gets nothing else', async () => {
    await withSite(async ({ registry, pull }) => {
      const { treeId } = await pull('check', 'new');
      registry.add('evil', [{ ...EVIL, diffId: NEW.diffId }]);
      const evil = await pull('skip', 'evil');
      assert.deepEqual([proofsOf(evil), evil.treeId], [['diff-id'], treeId]);
    });
  });

  for (const setting of ['skip', 'check'] as const) {
    it(`cannot name a layer by its key in the store (config claims the key), setting ${setting}`, async () => {
      await withSite(async ({ registry, pull, store }) => {
        await pull('skip', 'new');
        const { key } = layerOfToc(tocDigestOf(NEW));
        const here = await store(setting);
        assert.ok(existsSync(here.layout.layer(key)));
        assert.ok(!here.hasLayer(key));
        const plain = chunkedLayer([{ path: 'x', content: noise('x', 3000) }]);
        registry.add('claims', [{ ...plain, diffId: key }]);
        await assert.rejects(pull(setting, 'claims'), { code: 'DIFF_ID_MISMATCH' });
        assert.ok(registry.sentOf(plain.descriptor.digest) > 0);
      });
    });
  }

  it('cannot name a layer by its key while that is imported (config claims the key)', async () => {
    const plain = chunkedLayer([{ path: 'x', content: noise('x', 3000) }]);
    const { key } = layerOfToc(tocDigestOf(NEW));
    for (const layers of [
      [NEW, { ...plain, diffId: key }],
      [{ ...plain, diffId: key }, NEW],
    ]) {
      await withSite(async ({ registry, pull, store }) => {
        registry.add('claims', layers);
        await assert.rejects(pull('skip', 'claims'), { code: 'DIFF_ID_MISMATCH' });
        const names = (await store('skip')).listRefs().map(({ reference }) => reference);
        assert.equal(names.length, 1, names.join());
      });
    }
  });

  it('cannot name a layer by the digest of its table of contents (config claims it)', async () => {
    await withSite(async ({ registry, pull }) => {
      await pull('skip', 'new');
      const plain = chunkedLayer([{ path: 'x', content: noise('x', 3000) }]);
      registry.add('claims', [{ ...plain, diffId: tocDigestOf(NEW) }]);
      await assert.rejects(pull('skip', 'claims'), { code: 'DIFF_ID_MISMATCH' });
    });
  });

  it('a52: is what its archive says where its table of contents says otherwise', async () => {
    const { treeId } = await pulledWhole([EVIL]);
    await withSite(async ({ registry, pull, store }) => {
      registry.add('evil', [EVIL]);
      const unchecked = await pull('skip', 'evil');
      assert.ok(paths(await store('skip'), unchecked).includes('usr/evil'));
      const checked = await pull('check', 'evil');
      assert.deepEqual([proofsOf(checked), checked.treeId], [['diff-id'], treeId]);
    });
  });

  it('is fetched and checked although it was pulled without', async () => {
    await withSite(async ({ registry, pull, store }) => {
      const unchecked = await pull('skip', 'new');
      registry.sent.length = 0;
      const checked = await pull('check', 'new');
      assert.deepEqual(proofsOf(checked), ['diff-id']);
      assert.equal(checked.treeId, unchecked.treeId);
      assert.ok((await store('check')).hasLayer(NEW.diffId));
      assert.ok(registry.sentOf(NEW.descriptor.digest) > 0);
    });
  });

  it('a37: is refused although it was pulled without, where its diffID is a lie', async () => {
    await withSite(async ({ registry, pull }) => {
      registry.add('new', [{ ...NEW, diffId: sha256('another') }]);
      assert.deepEqual(proofsOf(await pull('skip', 'new')), ['toc']);
      await assert.rejects(pull('check', 'new'), { code: 'DIFF_ID_MISMATCH' });
    });
  });

  it('is not installed from the store as it was pulled without', async () => {
    await withSite(async ({ registry, pull, store }) => {
      await pull('skip', 'new');
      const name = `${registry.server.host}/team/app:new`;
      const find = async (setting: ChunkedDiffIdSetting): Promise<unknown> =>
        await findStored(
          name,
          new Stores(await store(setting), []),
          GATE,
          platformOfNode(process.arch),
        );
      assert.notEqual(await find('skip'), undefined);
      assert.equal(await find('check'), undefined);
      await pull('check', 'new');
      assert.notEqual(await find('check'), undefined);
    });
  });
});

describe('an additional store with a layer that its table of contents proves', () => {
  const cases: readonly (readonly [setting: ChunkedDiffIdSetting, proof: string])[] = [
    ['skip', 'toc'],
    ['check', 'diff-id'],
  ];
  for (const [setting, proof] of cases) {
    it(`${setting === 'skip' ? 'has it copied' : 'is passed over'} with the setting ${setting}`, async () => {
      await withSite(async ({ registry, directory, pull }) => {
        const { treeId } = await pull('skip', 'new');
        using tmp = temporaryDirectory('beside');
        const [vendor] = await openAdditional(directory);
        const options = { log: silentLog, chunkedDiffId: setting };
        const own = await openStore(join(tmp.directory, 'store'), options);
        registry.sent.length = 0;
        const reference = `${registry.server.host}/team/app:new`;
        const record = await pullInto(own, reference, { additional: [vendor!] });
        assert.deepEqual([proofsOf(record), record.treeId], [[proof], treeId]);
        const isFetched = registry.sentOf(NEW.descriptor.digest) > 0;
        assert.equal(isFetched, setting === 'check');
        await assertSound(own.layout.directory);
      });
    });
  }

  for (const setting of ['skip', 'check'] as const) {
    it(`${setting === 'skip' ? 'gives' : 'does not give'} a whole image with the setting ${setting}`, async () => {
      await withSite(async ({ directory, pull }) => {
        const pulled = await pull('skip', 'new');
        using tmp = temporaryDirectory('beside');
        const [vendor] = await openAdditional(directory);
        const options = { log: silentLog, chunkedDiffId: setting };
        const own = await openStore(join(tmp.directory, 'store'), options);
        const prefetch = pullImage(new StoredSource(vendor!, pulled), {
          ...{ store: own, additional: [vendor!], gate: GATE, log: silentLog },
          ...{ progress: noProgress, now: () => new Date(), signal: GATE.signal },
          platform: platformOfNode(process.arch),
        });
        if (setting === 'check') {
          await assert.rejects(prefetch, {
            code: 'SOURCE_NOT_FOUND',
            hint: `have it fetched from where it came: sysct pull ${pulled.source}`,
          });
          return;
        }
        const { record } = await prefetch;
        assert.deepEqual([record.layers, record.treeId], [pulled.layers, pulled.treeId]);
        assert.ok(own.holdsImage(record));
        await assertSound(own.layout.directory);
      });
    });
  }

  it('gives it to no config that claims its key', async () => {
    await withSite(async ({ registry, directory, pull }) => {
      await pull('skip', 'new');
      using tmp = temporaryDirectory('beside');
      const [vendor] = await openAdditional(directory);
      const { key } = layerOfToc(tocDigestOf(NEW));
      const plain = chunkedLayer([{ path: 'x', content: noise('x', 3000) }]);
      registry.add('claims', [{ ...plain, diffId: key }]);
      const own = await openStore(join(tmp.directory, 'store'), { log: silentLog });
      const reference = `${registry.server.host}/team/app:claims`;
      await assert.rejects(pullInto(own, reference, { additional: [vendor!] }), {
        code: 'DIFF_ID_MISMATCH',
      });
    });
  });
});

describe('the repair of a layer that its table of contents proves', () => {
  const { key } = layerOfToc(tocDigestOf(NEW));
  const damages: readonly (readonly [
    name: string,
    damage: (store: Store, record: RefRecord) => void,
  ])[] = [
    ['a flipped byte in its file', ({ layout }) => flip(layout.layer(key), 20)],
    ['its file gone', ({ layout }) => rmSync(layout.layer(key))],
    ['an object of it gone', ({ layout }) => rmSync(layout.object(sha256(noise('2', 50_000))))],
    ['an object of it cut off', ({ layout }) => cut(layout.object(sha256(LARGE)))],
    ['the tree damaged', ({ layout }, { treeId }) => flip(layout.tree(treeId), 200)],
  ];
  for (const [name, damage] of damages) {
    for (const isNamed of [true, false]) {
      it(`brings it back, with ${name}, ${isNamed ? 'by its ref' : 'where its ref is gone'}`, async () => {
        await withSite(async ({ pull, store }) => {
          const record = await pull('skip', 'new');
          const here = await store('check');
          damage(here, record);
          const { findings } = await checkHere(here);
          assert.ok(findings.length > 0);
          const failures = new Map<string, unknown>();
          const image = isNamed ? record : { ...record, layers: undefined };
          await repairImages(findings, [image], repairParts(here), failures);
          assert.deepEqual(failures, new Map());
          assert.deepEqual((await checkHere(here)).findings, []);
          assert.ok(here.holdsImage(record));
          assert.ok(!here.hasLayer(NEW.diffId));
        });
      });
    }
  }
});

describe('the setting zstd-chunked-diff-id', () => {
  it('decides by the command line what proves a layer, and what is used of the store', async () => {
    using tmp = temporaryDirectory('chunked-toc');
    await using registry = await startBlobRegistry();
    registry.add('old', [OLD]);
    registry.add('new', [NEW]);
    const root = tmp.directory;
    const put = (path: string, text: string): void => {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    put('etc/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
    const sysct = async (verb: string, ...args: readonly string[]): Promise<string> =>
      String((await runChecked(SYSCT, [verb, '--root', root, ...args])).stdout);
    const pull = async (tag: string): Promise<readonly string[]> => {
      const name = `${registry.server.host}/team/app:${tag}`;
      await sysct('pull', '--quiet', '--tls-verify=false', name);
      const image = JSON.parse(await sysct('inspect', name)) as {
        readonly layers: readonly { readonly provedBy: string }[];
      };
      return image.layers.map(({ provedBy }) => provedBy);
    };
    put('etc/sysct/sysct.toml', 'zstd-chunked-diff-id = "skip"\n');
    assert.deepEqual(await pull('old'), ['diff-id']);
    assert.deepEqual(await pull('new'), ['toc']);
    await sysct('fsck', '--quiet');
    await sysct('gc', '--quiet');
    await sysct('df');
    registry.sent.length = 0;
    assert.deepEqual(await pull('new'), ['toc']);
    assert.deepEqual(registry.sent, []);
    put('etc/sysct/sysct.toml', '');
    assert.deepEqual(await pull('new'), ['diff-id']);
    assert.ok(registry.sentOf(NEW.descriptor.digest) > 0);
    await sysct('gc', '--quiet');
    await sysct('fsck', '--quiet');
    assert.equal(readdirSync(join(root, 'var/lib/sysct/layers')).length, 2);
  });
});

const GATE: TrustGate = {
  loaded: {
    policy: parsePolicy('{"default":[{"type":"insecureAcceptAnything"}]}', 'policy.json'),
    readKeyFile: () => Promise.reject(new Error('no key is asked for')),
  },
  purpose: 'pull',
  allowUnsigned: false,
  now: () => new Date(),
  signal: new AbortController().signal,
};

async function openAdditional(path: string) {
  const { signal } = new AbortController();
  const options = { host: new HostRoot('/'), local: '/nowhere', log: silentLog, signal };
  return await openAdditionalStores([{ path, origin: 'named' }], options);
}

function repairParts(store: Store) {
  const { signal } = new AbortController();
  return {
    ...{ store, progress: noProgress, log: silentLog, signal },
    openSource: async (text: string) =>
      await openSource(text, {
        ...{ host: new HostRoot('/nonexistent'), env: {}, version: 'test', log: silentLog, signal },
        registry: { ...noRegistryOptions, tlsVerify: false },
        scratchDirectory: '/nonexistent',
      }),
  };
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

function cut(path: string): void {
  chmodSync(path, 0o600);
  truncateSync(path, 1000);
  chmodSync(path, 0o400);
}
