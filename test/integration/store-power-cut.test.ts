// SPDX-License-Identifier: Apache-2.0
// What a disk holds when the power fails: the import's file system is an image file, which is copied
// while the kernel still has things to write, and mounted again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../src/base/log.ts';
import { underLock } from '../../src/store/disk/transaction-directory.ts';
import { removeRef } from '../../src/store/ref/refs.ts';
import { openStore } from '../../src/store/store.ts';
import { runChecked } from '../../src/sys/process.ts';
import { imageLayers } from '../support/store/import-here.ts';
import { openLoopImage } from '../support/disk/loop-image.ts';
import { removeLine } from '../support/store/remove-here.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { startImport } from '../support/store/start-import.ts';
import { importImage } from '../support/store/store-layers.ts';
import { temporaryDirectory } from '../support/tmp.ts';

for (const fs of ['ext4', 'xfs', 'btrfs'] as const) {
  describe(`a power cut on ${fs}`, () => {
    it('right after a commit loses nothing', async () => {
      const { refs } = await cutPower(fs, async (directory) => {
        const { ended } = startImport(directory, 'quay.io/x/new:1');
        assert.equal(await ended, 0);
      });
      assert.equal(refs, 2);
    });

    it('in the middle of an import leaves only whole names', async () => {
      const { refs } = await cutPower(fs, async (directory) => {
        const { begun, child, ended } = startImport(directory, 'quay.io/x/new:1');
        await begun;
        await sleep(50 + 300 * Math.random());
        child.kill('SIGKILL');
        await ended;
      });
      assert.ok(refs >= 1);
    });

    it('right after the removal of an image leaves it removed, and the others whole', async () => {
      const { refs } = await cutPower(fs, async (directory) => {
        const store = await openStore(directory, { log: silentLog });
        await importImage(store, 'quay.io/x/new:1', imageLayers('quay.io/x/new:1'));
        await remove(directory, 'quay.io/x/new:1', undefined);
      });
      assert.equal(refs, 1);
    });

    it('in the middle of a collection leaves only whole names', async () => {
      const { refs } = await cutPower(fs, async (directory) => {
        const store = await openStore(directory, { log: silentLog });
        await importImage(store, 'quay.io/x/new:1', imageLayers('quay.io/x/new:1'));
        await underLock(store.layout, new AbortController().signal, () =>
          removeRef(store.layout.refs, store.findImage('quay.io/x/new:1')),
        );
        await remove(directory, undefined, 250 + 150 * Math.random());
      });
      assert.equal(refs, 1);
    });
  });
}

/** Removes an image, or what is garbage, in a process that is killed after so long. */
async function remove(
  directory: string,
  reference: string | undefined,
  killAfterMs: number | undefined,
): Promise<void> {
  const [program = '', ...args] = removeLine(directory, reference);
  const child = spawn(program, args, { stdio: 'inherit' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  if (killAfterMs === undefined) {
    assert.equal(await ended, 0);
    return;
  }
  await sleep(killAfterMs);
  child.kill('SIGKILL');
  await ended;
}

/** Lets `act` work on a store that has one image, and looks at what the disk holds then, as opposed to what the kernel remembers of it. */
async function cutPower(
  fs: 'ext4' | 'xfs' | 'btrfs',
  act: (directory: string) => Promise<void>,
): Promise<{ readonly refs: number }> {
  using tmp = temporaryDirectory('power-cut', '/dev/shm');
  const copy = join(tmp.directory, 'image');
  {
    await using disk = await openLoopImage({ fs, sizeMb: 320 });
    const directory = join(disk.directory, 'store');
    const store = await openStore(directory, { log: silentLog });
    await importImage(store, 'quay.io/x/old:1', imageLayers('quay.io/x/old:1'));
    await act(directory);
    copyFileSync(disk.imageFile, copy);
  }
  const mountPoint = join(tmp.directory, 'mnt');
  mkdirSync(mountPoint);
  await runChecked('mount', ['-t', fs, '-o', 'loop', copy, mountPoint]);
  try {
    return await assertSound(join(mountPoint, 'store'));
  } finally {
    await runChecked('umount', [mountPoint]);
  }
}
