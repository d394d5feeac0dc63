// SPDX-License-Identifier: Apache-2.0
// The power cuts of the tests are as bad as real ones: what nobody flushed may be gone.
import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLoggedDisk } from '../support/disk/logged-disk.ts';
import { withMountedImage } from '../support/disk/mounted-image.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { DiskReplay } from '../support/disk/write-log.ts';

const BYTES = Buffer.alloc(20_000, 'x');

for (const fs of ['ext4', 'xfs', 'btrfs'] as const) {
  describe(`a power cut on ${fs}`, () => {
    it('keeps what was synced, and loses what was not', async () => {
      using tmp = temporaryDirectory('cut', '/dev/shm');
      const path = (name: string): string => join(tmp.directory, name);
      await using disk = await openLoggedDisk(fs, 320);
      const fd = openSync(join(disk.directory, 'synced'), 'w');
      writeSync(fd, BYTES);
      fsyncSync(fd);
      closeSync(fd);
      writeFileSync(join(disk.directory, 'not-synced'), BYTES);
      const cutAt = disk.log.update();
      await disk.unmount();
      const atTheEnd = disk.log.update();
      using replay = new DiskReplay(disk.log, path('stable'), disk.sizeBytes);
      for (const [count, isThere] of [
        [cutAt, false],
        [atTheEnd, true],
      ] as const) {
        await replay.cut(count, path('cut'), seededRandom(1));
        await withMountedImage(fs, path('cut'), path('mnt'), () => {
          assert.deepEqual(readFileSync(path('mnt/synced')), BYTES);
          assert.equal(existsSync(path('mnt/not-synced')), isThere);
        });
      }
    });
  });
}
