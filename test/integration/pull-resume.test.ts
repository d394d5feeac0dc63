// SPDX-License-Identifier: Apache-2.0
// Pulls that end too early, and what the next one asks the registry for.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
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
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { StoreLayout } from '../../src/store/disk/layout.ts';
import { PartialBlob } from '../../src/store/disk/partial-blob.ts';
import { type ProcessResult, runChecked, runProcess } from '../../src/sys/process.ts';
import { FileLock } from '../../src/sys/flock.ts';
import { openLoopImage } from '../support/disk/loop-image.ts';
import { type MeteredProxy, startMeteredProxy } from '../support/registry/metered-proxy.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { pushLayout, type SmallImage, writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const MIB = 1024 * 1024;

/** What requests and headers may come to beside the blobs. */
const TALK_BYTES = 40_000;

/** What a busy machine may hold between the line and the disk: some 64 KiB for each layer, and the talk. */
const SLACK_BYTES = 256 * 1024;

const noise = (seed: string, bytes: number): Buffer =>
  createHash('shake256', { outputLength: bytes }).update(seed).digest();

describe('a pull that ended too early', () => {
  const tmp = temporaryDirectory('pull-resume');
  let registry: Registry;
  let proxy: MeteredProxy;
  let image: SmallImage;
  before(async () => {
    registry = await startRegistry({ tls: false });
    proxy = await startMeteredProxy(registry.host);
    const layout = join(tmp.directory, 'layout');
    const [first] = await writeSmallImage(layout, 'latest', {
      layers: [
        [{ name: 'small', content: noise('small', 2 * MIB) }],
        [
          { name: 'large', content: noise('large', 8 * MIB) },
          { name: 'larger', content: noise('larger', 12 * MIB) },
        ],
      ],
    });
    image = first!;
    await pushLayout(layout, 'latest', registry, 'team/app:1');
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry.stop();
    tmp[Symbol.dispose]();
  });

  it('goes on at the byte where a kill stopped it, and leaves nothing of the download', async () => {
    await withHost(async (root) => {
      proxy.holdAfter(16 * MIB);
      const child = startPull(root);
      await proxy.held;
      const kept = await settledSizes(root, 16 * MIB - SLACK_BYTES);
      assert.ok(total(kept) > 15 * MIB, `${total(kept)} bytes are kept`);
      child.kill('SIGKILL');
      await once(child, 'exit');
      proxy.holdAfter(Infinity);
      await pullChecked(root);
      const due = blobBytes() - total(kept);
      const sent = proxy.sentBytes();
      assert.ok(sent >= due && sent < due + TALK_BYTES, `${sent} bytes were sent, ${due} were due`);
      assert.deepEqual(sizes(root), new Map());
    });
  });

  it('keeps what it has when the network goes away or the user stops it', async () => {
    await withHost(async (root) => {
      for (const stop of ['SIGINT', 'SIGTERM'] as const) {
        const before = total(sizes(root));
        proxy.holdAfter(4 * MIB);
        const child = startPull(root);
        await proxy.held;
        await settledSizes(root, before + 4 * MIB - SLACK_BYTES);
        child.kill(stop);
        await once(child, 'exit');
      }
      assert.ok(total(sizes(root)) > 7 * MIB, `${total(sizes(root))} bytes are kept`);
      proxy.holdAfter(Infinity);
      await pullChecked(root);
      assert.deepEqual(sizes(root), new Map());
    });
  });

  const damages: readonly (readonly [name: string, damage: (path: string) => void])[] = [
    ['flipped bytes', (path) => writeAt(path, 2_000_000, noise('damage', 1000))],
    ['a hole, as a power cut may leave it', (path) => writeAt(path, MIB, Buffer.alloc(MIB))],
    ['too many bytes', (path) => truncateSync(path, 30 * MIB)],
    ['nothing', (path) => truncateSync(path, 0)],
  ];
  for (const [name, damage] of damages) {
    it(`fetches a blob once more when what was kept of it has ${name}`, async () => {
      await withHost(async (root) => {
        await interruptedPull(root, 16 * MIB);
        const path = partialOf(root, 1);
        damage(path);
        proxy.holdAfter(Infinity);
        await pullChecked(root);
        const most = 2 * blobBytes() + TALK_BYTES;
        assert.ok(proxy.sentBytes() < most, `${proxy.sentBytes()} bytes were sent`);
        assert.deepEqual(sizes(root), new Map());
      });
    });
  }

  it('leaves no bytes of a blob that is not what the manifest says', async () => {
    await withHost(async (root) => {
      const hex = image.layers[1]!.digest.slice('sha256:'.length);
      const blob = join(
        registry.storageDir,
        `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`,
      );
      const sound = readFileSync(blob);
      try {
        await interruptedPull(root, 16 * MIB);
        writeAt(blob, 19 * MIB, noise('lie', 100));
        proxy.holdAfter(Infinity);
        const { exitCode, stderr } = await pull(root);
        assert.notEqual(exitCode, 0);
        assert.match(stderr, /its bytes are/);
        // Once from the byte where it stopped, and once more from the start; never again.
        assert.ok(proxy.sentBytes() < 2 * blobBytes() + TALK_BYTES);
        assert.deepEqual(sizes(root), new Map());
      } finally {
        writeFileSync(blob, sound);
      }
    });
  });

  for (const fs of ['ext4', 'xfs', 'btrfs'] as const) {
    it(`goes on from what ${fs} holds after a power cut`, async () => {
      const copy = join(tmp.directory, 'power-cut');
      {
        await using disk = await openLoopImage({ fs, sizeMb: 320 });
        preparePolicy(disk.directory);
        await interruptedPull(disk.directory, 16 * MIB);
        await runChecked('sync', ['--file-system', disk.directory]);
        await interruptedPull(disk.directory, 2 * MIB);
        copyFileSync(disk.imageFile, copy);
      }
      const root = join(tmp.directory, 'mnt');
      mkdirSync(root, { recursive: true });
      await runChecked('mount', ['-t', fs, '-o', 'loop', copy, root]);
      try {
        assert.ok(total(sizes(root)) > 15 * MIB);
        proxy.holdAfter(Infinity);
        await pullChecked(root);
        assert.ok(proxy.sentBytes() < 8 * MIB, `${proxy.sentBytes()} bytes were sent`);
        assert.deepEqual(sizes(root), new Map());
      } finally {
        await runChecked('umount', [root]);
        rmSync(copy);
      }
    });
  }

  it('does not mind a disk that has no room for what came', async () => {
    using full = temporaryDirectory('full');
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', full.directory]);
    try {
      const layout = new StoreLayout(full.directory);
      using partial = await PartialBlob.claim(layout, sha256('blob'), silentLog);
      for (let n = 0; n < 8; n += 1) partial?.append(noise('full', MIB));
      assert.deepEqual(readdirSync(layout.downloads), []);
      writeFileSync(join(full.directory, 'object'), noise('full', 3 * MIB));
    } finally {
      await runChecked('umount', ['--lazy', full.directory]);
    }
  });

  it('is right beside another process that has the same blob', async () => {
    await withHost(async (root) => {
      await interruptedPull(root, 16 * MIB);
      using _theirs = await FileLock.acquire(partialOf(root, 1), 'exclusive');
      const before = statSync(partialOf(root, 1)).size;
      proxy.holdAfter(Infinity);
      await pullChecked(root);
      assert.equal(statSync(partialOf(root, 1)).size, before);
    });
  });

  function blobBytes(): number {
    return image.layers.reduce((sum, { size }) => sum + size, 0);
  }

  function partialOf(root: string, layer: number): string {
    return join(downloads(root), image.layers[layer]!.digest.slice('sha256:'.length));
  }

  async function interruptedPull(root: string, bytes: number): Promise<void> {
    const before = total(sizes(root));
    proxy.holdAfter(bytes);
    const child = startPull(root);
    await proxy.held;
    await settledSizes(root, before + bytes - SLACK_BYTES);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  function pullArguments(root: string): readonly string[] {
    return ['pull', '--quiet', '--root', root, '--tls-verify=false', `${proxy.host}/team/app:1`];
  }

  function startPull(root: string): ChildProcess {
    return spawn(SYSCT, pullArguments(root), { stdio: 'ignore' });
  }

  async function pull(root: string): Promise<ProcessResult> {
    return await runProcess(SYSCT, pullArguments(root));
  }

  async function pullChecked(root: string): Promise<void> {
    const { exitCode, stderr } = await pull(root);
    assert.equal(exitCode, 0, stderr);
  }
});

async function withHost(act: (root: string) => Promise<void>): Promise<void> {
  using tmp = temporaryDirectory('pull-host');
  preparePolicy(tmp.directory);
  await act(tmp.directory);
}

function preparePolicy(root: string): void {
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  const policy = '{"default":[{"type":"insecureAcceptAnything"}]}';
  writeFileSync(join(root, 'etc/containers/policy.json'), policy);
}

function downloads(root: string): string {
  return join(root, 'var/lib/sysct/downloads');
}

/** What is kept of downloads. */
function sizes(root: string): Map<string, number> {
  if (!existsSync(downloads(root))) return new Map();
  return new Map(
    readdirSync(downloads(root)).map((name) => [name, statSync(join(downloads(root), name)).size]),
  );
}

function total(all: ReadonlyMap<string, number>): number {
  return [...all.values()].reduce((sum, size) => sum + size, 0);
}

/** Waits until so much is kept, and no more bytes come. */
async function settledSizes(root: string, bytes: number): Promise<ReadonlyMap<string, number>> {
  let last = sizes(root);
  for (;;) {
    await delay(300);
    const now = sizes(root);
    if (total(now) >= bytes && total(now) === total(last)) return now;
    last = now;
  }
}

function writeAt(path: string, offset: number, bytes: Buffer): void {
  const content = readFileSync(path);
  bytes.copy(content, offset);
  writeFileSync(path, content);
}
