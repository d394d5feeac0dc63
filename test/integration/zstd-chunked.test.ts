// SPDX-License-Identifier: Apache-2.0
// zstd:chunked layers: what is fetched of them, and what is refused.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { type Digest, sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { noProgress } from '../../src/base/progress.ts';
import type { ImageSource } from '../../src/image/source/image-source.ts';
import { repairImages } from '../../src/image/repair/repair-images.ts';
import { checkStore } from '../../src/store/check/check-store.ts';
import { type Finding, isDamage } from '../../src/store/check/finding.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type BlobRegistry, startBlobRegistry } from '../support/registry/blob-registry.ts';
import {
  type ChunkedLayerBlob,
  type ChunkedMember,
  chunkedLayer,
  type Tampering,
} from '../support/image/chunked-layer.ts';
import { startMeteredProxy } from '../support/registry/metered-proxy.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { pushLayout, type SmallEntry, writeSmallImage } from '../support/image/small-image.ts';
import { CHUNKED, openTrixieSkopeo } from '../support/trust/trixie-skopeo.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { openPlainSource, pullInto } from '../support/store/pull-into.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';

const MIB = 1024 * 1024;
const noise = (seed: string, bytes: number): Buffer =>
  createHash('shake256', { outputLength: bytes }).update(seed).digest();

const SHARED: readonly ChunkedMember[] = [
  { path: 'usr/', type: '5', mode: 0o755 },
  { path: 'usr/empty' },
  { path: 'usr/shared-large', content: noise('shared', MIB), frames: 3 },
  { path: 'usr/shared-link', type: '1', link: 'usr/shared-large' },
  { path: 'usr/shared-small', content: noise('small', 2000) },
  { path: 'usr/zeros', content: Buffer.alloc(MIB) },
  { path: 'usr/shared-too', content: noise('shared too', 200_000) },
];
const OLD_MEMBERS: readonly ChunkedMember[] = [
  ...SHARED,
  { path: 'usr/changed', content: noise('old', 100_000) },
];
const NEW_MEMBERS: readonly ChunkedMember[] = [
  ...SHARED,
  { path: 'usr/changed', content: noise('new', 100_000), frames: 2 },
  { path: 'usr/changed-copy', content: noise('new', 100_000) },
  { path: 'usr/fresh-small', content: noise('fresh', 300) },
];
const OLD = chunkedLayer(OLD_MEMBERS);
const NEW = chunkedLayer(NEW_MEMBERS);

const SHARED_TOO = sha256(noise('shared too', 200_000));

function overwrite(path: string, bytes: Buffer): void {
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
  chmodSync(path, 0o400);
}

/** Checks and repairs once, as fsck does. @param between runs when all damage was found. */
async function repair(store: Store, between = (): void => {}): Promise<readonly Finding[]> {
  const { signal } = new AbortController();
  const parts = { store, log: silentLog, progress: noProgress, signal };
  const none = (): ReadonlySet<Digest> => new Set();
  const check = { fast: false, generationTrees: none, progress: noProgress, signal };
  const { findings, refs } = await checkStore(store.layout, check);
  between();
  const failures = new Map<string, unknown>();
  const openSource = async (text: string): Promise<ImageSource> => openPlainSource(text, signal);
  await repairImages(findings, refs, { ...parts, openSource }, failures);
  assert.deepEqual([...failures], []);
  return findings;
}

interface Site {
  readonly registry: BlobRegistry;
  readonly store: Store;
  pull(tag: string): Promise<void>;
}

/** A store that has {@link OLD}, and a registry that serves `layer` as `new`. */
async function withSite(
  layer: ChunkedLayerBlob,
  act: (site: Site) => Promise<void>,
  ranges = true,
): Promise<void> {
  using tmp = temporaryDirectory('zstd-chunked');
  await using registry = await startBlobRegistry(ranges);
  registry.add('old', [OLD]);
  registry.add('new', [layer]);
  const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  const pull = async (tag: string): Promise<void> => {
    await pullInto(store, `${registry.server.host}/team/app:${tag}`);
  };
  await pull('old');
  registry.sent.length = 0;
  await act({ registry, store, pull });
  await assertSound(store.layout.directory);
  assert.deepEqual(readdirSync(store.layout.transactions), []);
  assert.deepEqual(readdirSync(store.layout.downloads), []);
}

describe('a zstd:chunked layer', () => {
  it('is fetched in one stream when nothing of it is there', async () => {
    using tmp = temporaryDirectory('zstd-chunked');
    await using registry = await startBlobRegistry();
    registry.add('new', [NEW]);
    const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
    await pullInto(store, `${registry.server.host}/team/app:new`);
    const { digest } = NEW.descriptor;
    assert.equal(
      registry.sent.filter((one) => one.digest === digest && one.status === 200).length,
      1,
    );
  });

  it('is fetched only where the store lacks it, and comes to the same layer', async () => {
    await withSite(NEW, async ({ registry, store, pull }) => {
      await pull('new');
      const sent = registry.sentOf(NEW.descriptor.digest);
      assert.ok(sent > 100_000 && sent < 120_000, `${sent} of ${NEW.bytes.length} were sent`);
      assert.ok(store.hasLayer(NEW.diffId));
      await assertSameAsWhole(store, NEW);
    });
  });

  it('is fetched whole, once, when the server gives no parts', async () => {
    await withSite(
      NEW,
      async ({ registry, store, pull }) => {
        await pull('new');
        assert.ok(store.hasLayer(NEW.diffId));
        const whole = registry.sent.filter(({ digest }) => digest === NEW.descriptor.digest);
        // The answer to the first request for a part is left unread.
        assert.deepEqual(
          whole.map(({ status }) => status),
          [200, 200],
        );
      },
      false,
    );
  });

  const damages: readonly {
    readonly what: string;
    readonly damage: (store: Store) => void;
    readonly sentBytes: readonly [least: number, most: number];
  }[] = [
    {
      what: 'an object',
      damage: (store) => overwrite(store.layout.object(SHARED_TOO), noise('damage', 200_000)),
      sentBytes: [200_000, 215_000],
    },
    {
      what: 'an object that is gone',
      damage: (store) => rmSync(store.layout.object(SHARED_TOO)),
      sentBytes: [200_000, 215_000],
    },
    {
      what: 'the layer file',
      damage: (store) => truncateSync(store.layout.layer(layerOfDiffId(OLD.diffId).key), 100),
      sentBytes: [1000, 5000],
    },
  ];
  for (const { what, damage, sentBytes } of damages) {
    it(`is repaired by fetching what is damaged of it: ${what}`, async () => {
      await withSite(OLD, async ({ registry, store }) => {
        damage(store);
        const findings = await repair(store);
        assert.equal(findings.filter(isDamage).length, 1);
        const sent = registry.sentOf(OLD.descriptor.digest);
        const [least, most] = sentBytes;
        assert.ok(sent > least && sent < most, `${sent} of ${OLD.bytes.length} were sent`);
        assert.ok(store.hasLayer(OLD.diffId));
      });
    });
  }

  it('is repaired whole where more of the store is damaged than was found', async () => {
    await withSite(OLD, async ({ registry, store }) => {
      rmSync(store.layout.object(SHARED_TOO));
      const shared = store.layout.object(sha256(noise('shared', MIB)));
      const sound = readFileSync(shared);
      await repair(store, () => overwrite(shared, noise('damage', MIB)));
      assert.ok(registry.sentOf(OLD.descriptor.digest) > OLD.bytes.length);
      assert.ok(store.hasLayer(OLD.diffId));
      overwrite(shared, sound);
    });
  });

  it('heals what is damaged in the store by fetching all of it', async () => {
    await withSite(NEW, async ({ registry, store, pull }) => {
      const path = store.layout.object(sha256(noise('shared too', 200_000)));
      const sound = readFileSync(path);
      chmodSync(path, 0o600);
      writeFileSync(path, noise('damage', 200_000));
      await pull('new');
      assert.ok(registry.sentOf(NEW.descriptor.digest) > NEW.bytes.length);
      writeFileSync(path, sound);
      chmodSync(path, 0o400);
    });
  });

  const whole: readonly (readonly [name: string, tampering: Tampering])[] = [
    ['no annotations', { annotations: (all) => Object.keys(all).forEach((k) => delete all[k]) }],
    ['an annotation that is no position', { annotations: set('manifest-position', '1:2:x:1') }],
    ['a negative position', { annotations: set('manifest-position', '-1:2:3:1') }],
    ['a position behind its end', { annotations: set('manifest-position', '99999999:2:3:1') }],
    ['an unknown kind of TOC', { annotations: edit('manifest-position', /1$/, '2') }],
    ['a digest that is none', { annotations: set('manifest-checksum', 'sha256:12') }],
    ['a TOC of 1 GB', { annotations: edit('manifest-position', /\d+:1$/, '1000000000:1') }],
    [
      'a TOC that is longer than announced',
      { annotations: edit('manifest-position', /\d+:1$/, '10:1') },
    ],
    ['no tar-split', { annotations: (all) => void delete all[key('tarsplit-position')] }],
    ['a tar-split that nobody vouches for', { toc: (toc) => void delete toc.tarSplitDigest }],
    ['a TOC of another version', { toc: (toc) => void (toc.version = 2) }],
    [
      'an entry without a name',
      { toc: (toc) => void (toc.entries[1]!.name = 7 as unknown as string) },
    ],
    ['an entry of an unknown type', { toc: (toc) => void (toc.entries[1]!.type = 'door') }],
    ['a negative size', { toc: (toc) => void (changed(toc).size = -1) }],
    ['a content without a digest', { toc: (toc) => void delete changed(toc).digest }],
    ['a content outside of the blob', { toc: (toc) => void (changed(toc).endOffset = 1e9) }],
    ['a content that ends before it begins', { toc: (toc) => void (changed(toc).endOffset = 1) }],
    ['a content at a fraction of a byte', { toc: (toc) => void (changed(toc).offset = 1.5) }],
    [
      'a content that is said to have two sizes',
      {
        toc: (toc) =>
          void (toc.entries.find(({ name }) => name === 'usr/changed-copy')!.size! -= 1),
      },
    ],
    ['contents that overlap', { toc: (toc) => void (changed(toc).offset! -= 50_000) }],
    ['contents that swell to a terabyte', { toc: (toc) => void (changed(toc).size = 1e12) }],
    ['a chunk without its file', { toc: (toc) => void (toc.entries[0]!.type = 'chunk') }],
    ['a TOC that lacks a member', { toc: (toc) => void toc.entries.pop() }],
    [
      'a TOC with a member too many',
      { toc: (toc) => void toc.entries.push({ type: 'dir', name: 'x/' }) },
    ],
    ['a TOC with a member twice', { toc: (toc) => void toc.entries.splice(1, 0, toc.entries[1]!) }],
    ['a TOC with other names', { toc: (toc) => void (toc.entries[0]!.name = 'opt/') }],
    [
      'a TOC in another order',
      { toc: (toc) => void toc.entries.splice(0, 2, toc.entries[1]!, toc.entries[0]!) },
    ],
    ['a tar-split that is cut off', { tarSplit: (lines) => lines.slice(0, -3) }],
    [
      'a tar-split with other sizes',
      {
        tarSplit: (lines) =>
          lines.map((line) => (line.size === 300 ? { ...line, size: 299 } : line)),
      },
    ],
    [
      'a tar-split with lines of an unknown type',
      { tarSplit: (lines) => void (lines[0]!.type = 3) },
    ],
    ['a tar-split without a payload', { tarSplit: (lines) => void (lines[0]!.payload = null) }],
    [
      'a tar-split with other headers',
      { tarSplit: (lines) => void (lines[2]!.payload = lines[0]!.payload) },
    ],
    ['a TOC that is a million arrays deep', { tocText: () => '['.repeat(MIB) }],
    [
      'a TOC whose entries are a million arrays deep',
      { tocText: () => `{"version":1,"entries":[${'['.repeat(MIB)}${']'.repeat(MIB)}]}` },
    ],
    [
      'a TOC of a million empty entries',
      { tocText: () => `{"version":1,"entries":[${'{},'.repeat(MIB)}{}]}` },
    ],
    ['a TOC with its entries twice', { tocText: (text) => text.replace('{', '{"entries":[],') }],
    ['a TOC with something behind it', { tocText: (text) => `${text}{}` }],
    ['a TOC that is no text', { tocText: () => '\0'.repeat(MIB) }],
    ['a tar-split of empty lines', { tarSplitText: () => '\n'.repeat(50 * MIB) }],
    ['a tar-split of a gigabyte', { annotations: edit('tarsplit-position', /\d+$/, '1000000000') }],
    [
      'a tar-split that is longer than announced',
      { annotations: edit('tarsplit-position', /\d+$/, '100') },
    ],
    [
      'a tar-split with a line of a million arrays',
      { tarSplitText: (text) => text.replace('{', `{"x":${'['.repeat(MIB)},`) },
    ],
    [
      'a tar-split in its TOC',
      {
        annotations: (all) => {
          const [start, length] = (all[key('manifest-position')] ?? '').split(':');
          all[key('tarsplit-position')] = `${start}:${length}:1000`;
        },
        toc: (toc) => void delete toc.tarSplitDigest,
      },
    ],
    [
      'a TOC with another content of the store in its place',
      { toc: (toc) => void Object.assign(changed(toc), { digest: sha256(noise('old', 100_000)) }) },
    ],
  ];
  for (const [name, tampering] of whole) {
    it(`is fetched whole when it has ${name}`, async () => {
      const layer = chunkedLayer(NEW_MEMBERS, tampering);
      await withSite(layer, async ({ registry, store, pull }) => {
        await pull('new');
        assert.ok(store.hasLayer(layer.diffId));
        const statuses = registry.sent
          .filter(({ digest }) => digest === layer.descriptor.digest)
          .map(({ status }) => status);
        assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join());
      });
    });
  }

  it('is fetched whole when a content wants 128 MiB to be remembered of it', async () => {
    const wide = noise('wide', 5 * MIB);
    const shared = { path: 'shared', content: noise('large', 8 * MIB) };
    const layer = chunkedLayer([shared, { path: 'wide', content: wide }], {
      frame: { wide: rawFrame(wide, 27) },
    });
    await withSite(layer, async ({ registry, store, pull }) => {
      registry.add('shared', [chunkedLayer([shared])]);
      await pull('shared');
      await pull('new');
      assert.ok(store.hasLayer(layer.diffId));
      const sent = registry.sent.filter(({ digest }) => digest === layer.descriptor.digest);
      assert.deepEqual(sent.map(({ status }) => status).join(), '206,206,200');
    });
  });

  it('comes in parts beside others that have the same files', async () => {
    using tmp = temporaryDirectory('zstd-chunked');
    await using registry = await startBlobRegistry();
    const shared = Array.from({ length: 8 }, (_, n) => ({
      path: `shared-${n}`,
      content: noise(`shared ${n}`, n % 2 === 0 ? 700_000 : 400),
    }));
    const layers = ['a', 'b', 'c', 'd'].map((name) =>
      chunkedLayer([{ path: name, content: noise(name, 100_000) }, ...shared]),
    );
    registry.add('old', [chunkedLayer(shared)]);
    registry.add('new', layers);
    const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
    await pullInto(store, `${registry.server.host}/team/app:old`);
    registry.sent.length = 0;
    await pullInto(store, `${registry.server.host}/team/app:new`);
    for (const { descriptor, diffId } of layers) {
      assert.ok(store.hasLayer(diffId));
      assert.ok(registry.sentOf(descriptor.digest) < 150_000, 'only what is missing was sent');
    }
  });

  it('is fetched whole when most of it is missing', async () => {
    const layer = chunkedLayer([
      ...SHARED.slice(4, 5),
      { path: 'other', content: noise('other', MIB) },
    ]);
    await withSite(layer, async ({ registry, pull }) => {
      await pull('new');
      const sent = registry.sentOf(layer.descriptor.digest);
      assert.ok(sent < layer.bytes.length * 1.1, `${sent} were sent`);
    });
  });

  const refused: readonly (readonly [
    name: string,
    message: RegExp,
    tampering: Tampering,
    served?: (layer: ChunkedLayerBlob) => Buffer,
  ])[] = [
    [
      'another TOC than its annotation names',
      /the table of contents has the digest/,
      { annotations: set('manifest-checksum', sha256('another')) },
    ],
    [
      'another tar-split than its TOC names',
      /the tar-split has the digest/,
      { toc: (toc) => void (toc.tarSplitDigest = sha256('another')) },
    ],
    [
      'another content than its TOC says',
      /bytes \d+ to \d+ are sha256/,
      { frame: { 'usr/fresh-small': zstdCompressSync(noise('evil', 300)) } },
    ],
    [
      'flipped bytes in its TOC',
      /the table of contents has the digest/,
      {},
      (layer) => {
        const bytes = Buffer.from(layer.bytes);
        const position = layer.descriptor.annotations[key('manifest-position')] ?? '';
        bytes[Number(position.split(':')[0]) + 20]! ^= 1;
        return bytes;
      },
    ],
  ];
  for (const [name, message, tampering, served] of refused) {
    it(`is refused when it has ${name}`, async () => {
      const layer = chunkedLayer(NEW_MEMBERS, tampering);
      await withSite(layer, async ({ registry, store, pull }) => {
        if (served !== undefined) registry.replace(layer.descriptor.digest, served(layer));
        await assert.rejects(pull('new'), { code: 'DIGEST_MISMATCH', message });
        assert.ok(!store.hasLayer(layer.diffId));
        assert.ok(registry.sentOf(layer.descriptor.digest) < layer.bytes.length);
      });
    });
  }

  it('a49: is refused when a frame is a bomb', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(50 * MIB));
    const layer = chunkedLayer(NEW_MEMBERS, { frame: { 'usr/fresh-small': bomb } });
    await withSite(layer, async ({ store, pull }) => {
      // The part is given up, and so is the whole: its archive is not what the diffID names.
      await assert.rejects(pull('new'));
      assert.ok(!store.hasLayer(layer.diffId));
    });
  });

  it('a52: is refused when neither its parts nor the whole come to its diffID', async () => {
    const layer = { ...NEW, diffId: sha256('another') };
    await withSite(layer, async ({ store, pull }) => {
      await assert.rejects(pull('new'), { code: 'DIFF_ID_MISMATCH' });
      assert.ok(!store.hasLayer(layer.diffId));
    });
  });
});

describe('a zstd:chunked layer of real tools', () => {
  const files = (seed: string): SmallEntry[] => [
    { name: 'usr/', type: 'directory' },
    ...Array.from({ length: 40 }, (_, n) => ({
      name: `usr/shared-${n}`,
      content: noise(`shared ${n}`, n * 4000),
    })),
    { name: 'usr/link', type: 'link' as const, linkname: 'usr/shared-7' },
    { name: 'usr/symlink', type: 'symlink' as const, linkname: 'shared-7' },
    { name: 'usr/a name \u00e9\n<&>', content: 'odd' },
    { name: 'usr/zeros', content: Buffer.alloc(300_000) },
    { name: 'usr/long/'.padEnd(200, 'x/'), type: 'directory' },
    { name: 'usr/caps', content: 'caps', pax: { 'SCHILY.xattr.user.x': 'y' } },
    { name: 'usr/version', content: noise(seed, 60_000) },
  ];

  async function rebuild(
    push: (layout: string, registry: Registry, image: string) => Promise<void>,
  ): Promise<{ whole: number; sent: number }> {
    using tmp = temporaryDirectory('chunked-tools', '/dev/shm');
    await using registry = await startRegistry({ tls: false });
    await using proxy = await startMeteredProxy(registry.host);
    const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
    let whole = 0;
    for (const tag of ['1', '2']) {
      const layout = join(tmp.directory, tag);
      await writeSmallImage(layout, 'latest', { layers: [files(tag)], compression: 'gzip' });
      await push(layout, registry, `team/app:${tag}`);
      proxy.holdAfter(Infinity);
      const record = await pullInto(store, `${proxy.host}/team/app:${tag}`);
      whole = record.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      assert.ok(record.layers.every(({ diffId }) => store.hasLayer(diffId)));
    }
    await assertSound(store.layout.directory);
    return { whole, sent: proxy.sentBytes() };
  }

  it('made by skopeo of Debian trixie is fetched only where the store lacks it', async () => {
    using trixie = await openTrixieSkopeo();
    const { whole, sent } = await rebuild((layout, registry, image) =>
      trixie.pushChunked(layout, 'latest', registry, image),
    );
    assert.ok(sent < 0.1 * whole, `${sent} of ${whole} were sent`);
  });

  it('made by skopeo of Debian 12, which has no tar-split, is fetched whole', async () => {
    const { whole, sent } = await rebuild((layout, registry, image) =>
      pushLayout(layout, 'latest', registry, image, CHUNKED),
    );
    assert.ok(sent >= whole, `${sent} of ${whole} were sent`);
  });
});

/** A frame that compresses nothing (RFC 8878 §3.1.1), and says that it refers back by 2 to the power of `windowLog`. */
function rawFrame(content: Buffer, windowLog: number): Buffer {
  const parts: Buffer[] = [Buffer.from('28b52ffd00', 'hex'), Buffer.from([(windowLog - 10) << 3])];
  const step = 128 * 1024;
  for (let at = 0; at < content.length; at += step) {
    const block = content.subarray(at, at + step);
    const isLast = at + step >= content.length;
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (isLast ? 1 : 0), 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}

/** The layer file is the same as the one of a store that fetched the whole blob. */
async function assertSameAsWhole(store: Store, layer: ChunkedLayerBlob): Promise<void> {
  using tmp = temporaryDirectory('whole');
  await using registry = await startBlobRegistry(false);
  registry.add('new', [layer]);
  const other = await openStore(join(tmp.directory, 'store'), { log: silentLog });
  await pullInto(other, `${registry.server.host}/team/app:new`);
  const file = (of: Store): Buffer =>
    readFileSync(of.layout.layer(layerOfDiffId(layer.diffId).key));
  assert.ok(file(store).equals(file(other)));
}

function key(name: string): string {
  return `io.github.containers.zstd-chunked.${name}`;
}

function set(name: string, value: string | Digest) {
  return (all: Record<string, string>): void => void (all[key(name)] = value);
}

function edit(name: string, from: RegExp, to: string) {
  return (all: Record<string, string>): void =>
    void (all[key(name)] = (all[key(name)] ?? '').replace(from, to));
}

/** The entry of a file that the store lacks. */
function changed(toc: ChunkedLayerBlob['toc']): ChunkedLayerBlob['toc']['entries'][number] {
  return toc.entries.find(({ name }) => name === 'usr/changed')!;
}
