// SPDX-License-Identifier: Apache-2.0
// Layers of the tools that users have, taken for what their tables of contents say: a whole Debian, and members of
// every odd kind, must come to the tree that their archives come to.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { identityOf } from '../../src/store/ref/ref-record.ts';
import { openStore } from '../../src/store/store.ts';
import { debianRootTar } from '../support/host/debian-root.ts';
import { type MeteredProxy, startMeteredProxy } from '../support/registry/metered-proxy.ts';
import { pullInto } from '../support/store/pull-into.ts';
import { pullLayout } from '../support/image/pull-layout.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { pushLayout, writeSmallImage } from '../support/image/small-image.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { longName, member, pax, TAR_END } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { CHUNKED, openTrixieSkopeo } from '../support/trust/trixie-skopeo.ts';

const noise = (seed: string, bytes: number): Buffer =>
  createHash('shake256', { outputLength: bytes }).update(seed).digest();

const CAPABILITY = Buffer.from('0100000280ff000000000000fe00000000000000', 'hex');

/** What tables of contents can say exactly. */
const ODD = Buffer.concat([
  member({ path: 'odd/', type: '5', mode: 0o1777 }),
  pax({ 'SCHILY.xattr.security.capability': CAPABILITY, 'SCHILY.xattr.user.x': 'y' }),
  member({ path: 'odd/caps', content: 'caps', mode: 0o755 }),
  pax({ 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.security.selinux': 'label\0' }),
  member({ path: 'odd/left-out', content: 'xattrs' }),
  pax({ mtime: '1700000000.123456789', atime: '1', ctime: '2', comment: 'a comment' }),
  member({ path: 'odd/nanoseconds', content: noise('time', 700) }),
  pax({ mtime: '-1.5' }),
  member({ path: 'odd/before-the-epoch', content: 'old' }),
  pax({ uid: '3000000000', gid: '4000000000' }),
  member({ path: 'odd/owners-by-pax' }),
  member({ path: 'odd/owners', uid: 3_000_000, gid: 4_000_000, mode: 0o6711, format: 'gnu' }),
  member({ path: 'odd/\u00e9 \u6f22\n<&>"\\', content: 'odd name' }),
  pax({ path: `odd/${'long/'.repeat(60)}name` }),
  member({ path: 'cut off', content: 'long' }),
  longName('L', `odd/${'gnu/'.repeat(60)}name`),
  longName('K', `../${'target/'.repeat(40)}`),
  member({ path: 'cut off', type: '2', link: 'cut off', format: 'gnu' }),
  member({ path: 'prefixed', prefix: `odd/${'p'.repeat(140)}`, content: 'prefix' }),
  member({ path: 'odd/v7', format: 'v7', type: '\0', content: 'v7' }),
  member({ path: 'odd/v7-directory/', format: 'v7', type: '\0' }),
  member({ path: 'odd/hard', type: '1', link: 'odd/caps' }),
  member({ path: './odd//soft', type: '2', link: '/etc/passwd', mode: 0o777 }),
  member({ path: 'odd/char', type: '3', major: 10, minor: 229, mode: 0o666 }),
  member({ path: 'odd/block', type: '4', major: 259, minor: 70_000 }),
  member({ path: 'odd/whiteout-like', type: '3', major: 0, minor: 0 }),
  member({ path: 'odd/pipe', type: '6', mode: 0o622 }),
  member({ path: 'odd/empty' }),
  member({ path: 'odd/zeros', content: Buffer.alloc(3_000_000) }),
  member({ path: 'odd/.wh.hidden' }),
  member({ path: 'odd/v7-directory/.wh..wh..opq' }),
  member({ path: 'odd/512', content: noise('512', 512) }),
  member({ path: 'odd/513', content: noise('513', 513) }),
  member({ path: 'odd/same', content: noise('513', 513) }),
]);

type Push = (layout: string, registry: Registry, image: string) => Promise<void>;

/** The tools, each with a table of contents but the first one without a tar-split. */
async function withTools(use: (tool: string, push: Push) => Promise<void>): Promise<void> {
  await use('skopeo of Debian 12', (layout, registry, image) =>
    pushLayout(layout, 'latest', registry, image, CHUNKED),
  );
  using trixie = await openTrixieSkopeo();
  await use('skopeo of Debian trixie', (layout, registry, image) =>
    trixie.pushChunked(layout, 'latest', registry, image),
  );
}

describe('a zstd:chunked layer of real tools whose diffID is not checked', () => {
  it('comes to the tree that its archive does: a whole Debian, and every odd kind of member', async () => {
    const debian = withoutEnd(readFileSync(await debianRootTar(DEBIAN)));
    const big = member({ path: 'odd/big', content: noise('big', 5_000_000) });
    const tars = {
      old: [debian, member({ path: 'version', content: noise('old', 90_000) }), big],
      new: [debian, member({ path: 'version', content: noise('new', 90_000) }), ODD, big],
    };
    using tmp = temporaryDirectory('chunked-tools', '/dev/shm');
    for (const [tag, parts] of Object.entries(tars)) {
      const layers = [Buffer.concat([...parts, TAR_END])];
      await writeSmallImage(join(tmp.directory, tag), 'latest', { layers, compression: 'none' });
    }
    const checked = await openStore(join(tmp.directory, 'checked'), { log: silentLog });
    const { treeId } = await pullLayout(checked, join(tmp.directory, 'new'), 'latest');
    await withTools(async (tool, push) => {
      using storage = temporaryDirectory('chunked-tools', '/dev/shm');
      const seen = await pullBoth(tmp.directory, storage.directory, push);
      assert.deepEqual(seen.proofs, ['toc'], tool);
      assert.equal(seen.treeId, treeId, tool);
      assert.ok(seen.sentBytes < 0.1 * seen.blobBytes, `${tool}: ${seen.sentBytes} were sent`);
    });
  });

  it('is checked by its diffID where a name is not UTF-8, and comes to that name', async () => {
    const odd = [
      member({ path: Buffer.from([0x6f, 0xff, 0xfe]), content: 'latin' }),
      member({ path: 'shared', content: noise('shared', 900_000) }),
    ];
    using tmp = temporaryDirectory('chunked-tools', '/dev/shm');
    for (const tag of ['old', 'new']) {
      const version = member({ path: 'version', content: noise(tag, 30_000) });
      const layers = [Buffer.concat([...odd, version, TAR_END])];
      await writeSmallImage(join(tmp.directory, tag), 'latest', { layers, compression: 'none' });
    }
    const checked = await openStore(join(tmp.directory, 'checked'), { log: silentLog });
    const { treeId } = await pullLayout(checked, join(tmp.directory, 'new'), 'latest');
    await withTools(async (tool, push) => {
      using storage = temporaryDirectory('chunked-tools', '/dev/shm');
      const seen = await pullBoth(tmp.directory, storage.directory, push);
      assert.deepEqual(seen.proofs, ['diff-id'], tool);
      assert.equal(seen.treeId, treeId, tool);
    });
  });
});

// That of openTrixieSkopeo.
const DEBIAN = { release: 'trixie', packages: ['skopeo'] } as const;

interface SeenPull {
  readonly proofs: readonly string[];
  readonly treeId: string;
  readonly sentBytes: number;
  readonly blobBytes: number;
}

/** Pushes the layouts `old` and `new`, and pulls one on top of the other. */
async function pullBoth(layouts: string, scratch: string, push: Push): Promise<SeenPull> {
  const storageDir = join(scratch, 'registry');
  await using registry = await startRegistry({ tls: false, storageDir });
  await using proxy: MeteredProxy = await startMeteredProxy(registry.host);
  const options = { log: silentLog, chunkedDiffId: 'skip' } as const;
  const store = await openStore(join(scratch, 'store'), options);
  for (const tag of ['old', 'new']) {
    await push(join(layouts, tag), registry, `team/app:${tag}`);
  }
  await pullInto(store, `${proxy.host}/team/app:old`);
  proxy.holdAfter(Infinity);
  const { layers, treeId } = await pullInto(store, `${proxy.host}/team/app:new`);
  await assertSound(store.layout.directory);
  return {
    proofs: layers.map((layer) => identityOf(layer).proof),
    treeId,
    sentBytes: proxy.sentBytes(),
    blobBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

function withoutEnd(tar: Buffer): Buffer {
  let end = tar.length;
  while (tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return tar.subarray(0, end);
}
