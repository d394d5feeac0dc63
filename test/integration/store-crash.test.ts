// SPDX-License-Identifier: Apache-2.0
// Promise 3: a name in the store always means durable, verified content, whenever the import or the
// machine dies.
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatSize } from '../../src/base/size.ts';
import { silentLog } from '../../src/base/log.ts';
import { runChecked } from '../../src/sys/process.ts';
import { openStore } from '../../src/store/store.ts';
import { imageLayers } from '../support/store/import-here.ts';
import { withLoopImage } from '../support/disk/loop-image.ts';
import { startImport } from '../support/store/start-import.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { importImage, snapshot } from '../support/store/store-layers.ts';
import { temporaryDirectory } from '../support/tmp.ts';

/** Kills an import after `ms`; false when it was done before. */
async function killImport(store: string, reference: string, ms: number): Promise<boolean> {
  const { child, begun, ended } = startImport(store, reference);
  await begun;
  await sleep(ms);
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}

async function importDuration(parent: string): Promise<number> {
  const { begun, ended } = startImport(join(parent, 'timing'), 'quay.io/x/new:1');
  await begun;
  const began = performance.now();
  assert.equal(await ended, 0);
  return performance.now() - began;
}

const { signal } = new AbortController();
const OLD = imageLayers('quay.io/x/old:1');
const NEW = imageLayers('quay.io/x/new:1');

describe('kill -9 of an import', () => {
  it('a53: at any instant leaves the earlier images whole, and the next import is as if nothing had been', async () => {
    using tmp = temporaryDirectory('crash', '/dev/shm');
    let duration = await importDuration(tmp.directory);
    const expected = join(tmp.directory, 'expected');
    const undisturbed = await openStore(expected, { log: silentLog });
    await importImage(undisturbed, 'quay.io/x/old:1', OLD);
    const before = join(tmp.directory, 'before');
    cpSync(expected, before, { recursive: true });
    await importImage(undisturbed, 'quay.io/x/new:1', NEW);
    const wanted = snapshot(expected);
    let killed = 0;
    for (let round = 0; round < 6; round += 1) {
      const directory = join(tmp.directory, `store-${round}`);
      cpSync(before, directory, { recursive: true });
      const store = await openStore(directory, { log: silentLog });
      const ms = duration * (0.1 + 0.16 * round) * (0.9 + 0.2 * Math.random());
      if (await killImport(directory, 'quay.io/x/new:1', ms)) killed += 1;
      // The machine has less to do by now.
      else duration = Math.min(duration, ms) * 0.7;
      const { refs } = await assertSound(directory);
      assert.ok(refs >= 1, 'the earlier image is listed');
      await importImage(store, 'quay.io/x/new:1', NEW);
      assert.deepEqual(readdirSync(store.layout.transactions), [], 'debris is removed');
      assert.deepEqual(snapshot(directory), wanted);
    }
    assert.ok(killed >= 2, `only ${killed} of 6 imports were killed in time`);
  });
});

describe('two processes that import the same image at once', () => {
  it('a53: both succeed, and the store is as one would have left it', async () => {
    using tmp = temporaryDirectory('crash', '/dev/shm');
    const directory = join(tmp.directory, 'both');
    const both = ['quay.io/x/new:1', 'quay.io/x/new:1'].map((name) => startImport(directory, name));
    for (const { ended } of both) assert.equal(await ended, 0);
    await assertSound(directory);
    const alone = join(tmp.directory, 'alone');
    const store = await openStore(alone, { log: silentLog });
    await importImage(store, 'quay.io/x/new:1', NEW);
    assert.deepEqual(snapshot(directory), snapshot(alone));
  });
});

describe('a full disk', () => {
  it('is told exactly, leaves nothing behind, and the earlier image whole', async () => {
    await withLoopImage({ fs: 'ext4', sizeMb: 24 }, async (mountPoint) => {
      const directory = join(mountPoint, 'store');
      const store = await openStore(directory, { log: silentLog });
      await importImage(store, 'quay.io/x/old:1', OLD.slice(1));
      const before = snapshot(directory);
      for (const name of ['quay.io/x/a:1', 'quay.io/x/b:1', 'quay.io/x/c:1']) {
        const importing = importImage(store, name, [
          ...imageLayers(name),
          ...imageLayers(`${name}2`),
        ]);
        await assert.rejects(importing, (error: Error & { code: string; hint: string }) => {
          assert.equal(error.code, 'NO_SPACE');
          assert.match(error.message, /^importing layer sha256:[0-9a-f]{64}: no space left$/);
          assert.match(error.hint, /^free some space/);
          return true;
        });
        assert.deepEqual(snapshot(directory), before);
      }
      await assertSound(directory);
    });
  });

  it('names what a collection would free', async () => {
    await withLoopImage({ fs: 'ext4', sizeMb: 40 }, async (mountPoint) => {
      const store = await openStore(join(mountPoint, 'store'), { log: silentLog });
      await importImage(store, 'quay.io/x/a:1', OLD);
      const nothing = { hint: /^free some space there, remove images with sysct rmi, or / };
      await assert.rejects(store.assertSpace(1e9, signal), nothing);
      await importImage(store, 'quay.io/x/a:1', OLD.slice(1));
      const { bytes } = await store.collectGarbage({
        ...{ mode: 'look', leftovers: 'old', now: new Date(), signal },
      });
      assert.ok(bytes > 5e6);
      await assert.rejects(store.assertSpace(1e9, signal), {
        hint: `run sysct gc: it frees ${formatSize(bytes)}`,
      });
    });
  });

  it('is foreseen from the sizes of the layers', async () => {
    await withLoopImage({ fs: 'ext4', sizeMb: 40 }, async (mountPoint) => {
      const store = await openStore(join(mountPoint, 'store'), { log: silentLog });
      await assert.doesNotReject(store.assertSpace(1e6, signal));
      await assert.rejects(store.assertSpace(1e9, signal), {
        code: 'NO_SPACE',
        message: /^preparing store ".*\/store": at least 1.00 GB are needed, [\d.]+ MB are free$/,
      });
    });
  });
});

describe('a read-only file system', () => {
  it('is told exactly', async () => {
    await withLoopImage({ fs: 'ext4', sizeMb: 40 }, async (mountPoint) => {
      const store = await openStore(join(mountPoint, 'store'), { log: silentLog });
      await runChecked('mount', ['-o', 'remount,ro', mountPoint]);
      const importing = store.beginImport(new AbortController().signal);
      await assert.rejects(importing, { code: 'STORE_READ_ONLY' });
    });
  });
});
