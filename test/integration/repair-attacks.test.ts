// SPDX-License-Identifier: Apache-2.0
// A store in which anything may lie under a name, and a registry that gives other bytes to a repair: the check
// ends and names it, and a repair puts only what is right in its place.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { MEDIA_TYPE } from '../../src/oci/media-type.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';
import { refPath } from '../../src/store/ref/ref-path.ts';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type ProcessResult, runChecked, runProcess } from '../../src/sys/process.ts';
import { type BlobRegistry, startBlobRegistry } from '../support/registry/blob-registry.ts';
import { noise } from '../support/store/sample-tree.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

/** Longer than any of these commands takes on a busy machine. */
const HANGS_MS = 300_000;

const LARGE = noise('large', 100_000);
const LAYER = layerOf(LARGE);

function layerOf(content: Buffer) {
  const archive = tar({ path: 'etc/small', content: 'small\n' }, { path: 'large', content });
  const bytes = gzipSync(archive);
  const descriptor = {
    mediaType: MEDIA_TYPE.ociLayerGzip,
    digest: sha256(bytes),
    size: bytes.length,
  };
  return { bytes, diffId: sha256(archive), descriptor };
}

interface Site {
  readonly registry: BlobRegistry;
  readonly store: Store;
  readonly record: RefRecord;
  fsck(...args: readonly string[]): Promise<ProcessResult>;
}

async function withSite(act: (site: Site) => Promise<void>): Promise<void> {
  using tmp = temporaryDirectory('repair-attacks');
  await using registry = await startBlobRegistry();
  registry.add('1', [LAYER]);
  const root = tmp.directory;
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  const policy = '{"default":[{"type":"insecureAcceptAnything"}]}';
  writeFileSync(join(root, 'etc/containers/policy.json'), policy);
  const run = async (...args: readonly string[]): Promise<ProcessResult> => {
    const result = await runProcess(SYSCT, args, { timeoutMs: HANGS_MS });
    assert.equal(result.signal, undefined, `sysct ${args.join(' ')} hangs`);
    assert.doesNotMatch(result.stderr, /internal error/);
    return result;
  };
  const options = ['--root', root, '--tls-verify=false'];
  const pulled = await run('pull', '--quiet', ...options, `${registry.server.host}/team/app:1`);
  assert.equal(pulled.exitCode, 0, pulled.stderr);
  const store = await openStore(join(root, 'var/lib/sysct'), { log: silentLog });
  const [record] = store.listRefs();
  assert.ok(record);
  const fsck = async (...args: readonly string[]): Promise<ProcessResult> =>
    await run('fsck', '--retry=0', ...options, ...args);
  await act({ registry, store, record, fsck });
}

const places: readonly (readonly [what: string, place: (store: Store, r: RefRecord) => string])[] =
  [
    ['an object', ({ layout }) => layout.object(sha256(LARGE))],
    ['a layer', ({ layout }) => layout.layer(layerOfDiffId(LAYER.diffId).key)],
    ['a tree', ({ layout }, { treeId }) => layout.tree(treeId)],
    ['the image of a tree', ({ layout }, { treeId }) => layout.image(treeId)],
    ['a manifest', ({ layout }, { manifestDigest }) => layout.blob(manifestDigest)],
    ['a config', ({ layout }, { imageId }) => layout.blob(imageId)],
  ];

const spoils: readonly (readonly [what: string, spoil: (path: string) => Promise<void> | void])[] =
  [
    ['is a FIFO', async (path) => (rmSync(path), void (await runChecked('mkfifo', [path])))],
    [
      'is an endless device',
      async (path) => (rmSync(path), void (await runChecked('mknod', [path, 'c', '1', '5']))),
    ],
    [
      'is a link to the right bytes',
      (path) => {
        copyFileSync(path, `${path}.elsewhere`);
        rmSync(path);
        symlinkSync(`${path}.elsewhere`, path);
      },
    ],
    ['is a directory', (path) => (rmSync(path), mkdirSync(path))],
    ['is a terabyte long', (path) => (chmodSync(path, 0o600), truncateSync(path, 1e12))],
  ];

describe('a check and repair of a store in which', () => {
  for (const [what, place] of places) {
    for (const [how, spoil] of spoils) {
      // Reading a terabyte takes longer than anybody waits for a test.
      const isTried = /terabyte/.test(how) ? /tree|layer/ : /FIFO/.test(how) ? /./ : /object|tree/;
      if (!isTried.test(what)) continue;
      it(`${what} ${how}, ends with it whole`, async () => {
        await withSite(async ({ store, record, fsck }) => {
          const path = place(store, record);
          await spoil(path);
          const found = await fsck();
          assert.equal(found.exitCode, 8, found.stderr);
          const repaired = await fsck('--repair');
          assert.equal(repaired.exitCode, 0, repaired.stdout.toString() + repaired.stderr);
          assert.ok(lstatSync(path).isFile());
          rmSync(`${path}.elsewhere`, { force: true });
          await assertSound(store.layout.directory);
        });
      });
    }
  }

  for (const [how, spoil] of spoils.filter(([name]) => !name.includes('directory'))) {
    it(`a ref ${how}, says to pull it again, and that heals it`, async () => {
      await withSite(async ({ store, record, registry, fsck }) => {
        const path = join(store.layout.refs, refPath(record.reference, record.manifestDigest));
        await spoil(path);
        const found = await fsck('--repair');
        assert.equal(found.exitCode, 8);
        assert.match(found.stdout.toString(), /sysct pull .*\/team\/app:1\n/);
        const { pullInto } = await import('../support/store/pull-into.ts');
        await pullInto(store, `${registry.server.host}/team/app:1`);
        assert.ok(lstatSync(path).isFile());
        rmSync(`${path}.elsewhere`, { force: true });
        assert.equal((await fsck()).exitCode, 0);
      });
    });
  }
});

describe('a repair from a registry that gives', () => {
  const flip = (bytes: Buffer): Buffer => {
    const flipped = Buffer.from(bytes);
    flipped[flipped.length >> 1]! ^= 1;
    return flipped;
  };
  const lies: readonly (readonly [what: string, served: Buffer])[] = [
    ['a flipped byte', flip(LAYER.bytes)],
    ['another layer', layerOf(noise('evil', 100_000)).bytes],
    ['less', LAYER.bytes.subarray(0, 1000)],
    ['more', Buffer.concat([LAYER.bytes, Buffer.alloc(1000)])],
    ['nothing', Buffer.alloc(0)],
    ['a bomb', gzipSync(Buffer.alloc(200e6))],
  ];
  for (const [what, served] of lies) {
    it(`${what}, takes none of it, and a good one heals the store afterwards`, async () => {
      await withSite(async ({ store, registry, fsck }) => {
        const path = store.layout.object(sha256(LARGE));
        chmodSync(path, 0o600);
        writeFileSync(path, flip(LARGE));
        chmodSync(path, 0o400);
        registry.replace(LAYER.descriptor.digest, served);
        const failed = await fsck('--repair');
        assert.ok([6, 8].includes(failed.exitCode), failed.stderr);
        assert.match(failed.stdout.toString(), /not repaired: /);
        assert.ok(readFileSync(path).equals(flip(LARGE)), 'what was there is there');
        assert.deepEqual(readdirSync(store.layout.transactions), []);
        assert.ok(
          !existsSync(store.layout.quarantine) || readdirSync(store.layout.quarantine).length === 0,
        );
        registry.replace(LAYER.descriptor.digest, LAYER.bytes);
        const { exitCode, stdout, stderr } = await fsck('--repair');
        assert.equal(exitCode, 0, stdout.toString() + stderr);
        assert.ok(readFileSync(path).equals(LARGE));
        await assertSound(store.layout.directory);
      });
    });
  }

  it('other documents, takes none of them', async () => {
    await withSite(async ({ store, record, registry, fsck }) => {
      rmSync(store.layout.blob(record.imageId));
      registry.replace(record.imageId, Buffer.from('{"config":{"Entrypoint":["/evil"]}}'));
      const failed = await fsck('--repair');
      assert.notEqual(failed.exitCode, 0);
      assert.equal(existsSync(store.layout.blob(record.imageId)), false);
    });
  });
});
