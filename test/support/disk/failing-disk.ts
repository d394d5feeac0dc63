// SPDX-License-Identifier: Apache-2.0
// Disks that stop to do their work, and work again: really full, really read-only, really failing. No
// device-mapper is needed, which kernels of build machines lack.
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked, runProcess } from '../../../src/sys/process.ts';
import type { FileSystemKind } from './loop-image.ts';
import { unmount } from './unmount.ts';

export type Trouble =
  'full' | 'out of inodes' | 'quota' | 'read-only' | 'shut down' | 'lost writes';

export interface FailingDisk extends AsyncDisposable {
  /** A directory of it. */
  readonly directory: string;
  /** From now on it is in trouble. */
  fail(): Promise<void>;
  /** It works again, after what an admin does to that end. */
  heal(): Promise<void>;
}

/** What troubles a disk of 400 MB, and what an admin does about it. */
interface Kind {
  readonly fs: FileSystemKind;
  readonly mkfs: readonly string[];
  fail(disk: Paths): Promise<void> | void;
  heal(disk: Paths): Promise<void> | void;
}

interface Paths {
  /** A tmpfs that holds the image file. */
  readonly backing: string;
  readonly image: string;
  readonly mount: string;
  readonly directory: string;
}

const SIZE_MB = 400;

/** Of the first subvolume: named so because its own directory cannot be written to beyond its quota. */
const QGROUP = '0/256';

const KINDS: Readonly<Record<Trouble, Kind>> = {
  full: {
    fs: 'ext4',
    mkfs: ['-F', '-m', '0'],
    // Faster than a verb ends. dd(1) takes the rest, and ends with an error, as it shall: what it wrote stays.
    fail: async ({ mount }) => {
      const { bavail, bsize } = statfsSync(mount);
      await runProcess('fallocate', ['--length', `${(bavail - 64) * bsize}`, `${mount}/ballast`]);
      await runProcess('dd', ['if=/dev/zero', `of=${mount}/rest`, 'bs=4K']);
    },
    heal: async ({ mount }) => {
      for (const name of ['ballast', 'rest']) rmSync(join(mount, name), { force: true });
      await runChecked('sync', ['-f', mount]);
    },
  },
  'out of inodes': {
    fs: 'ext4',
    mkfs: ['-F', '-N', '2048'],
    // All but one.
    fail: ({ mount }) => {
      mkdirSync(join(mount, 'ballast'));
      const spare = statfsSync(mount).ffree - 1;
      for (let n = 0; n < spare; n += 1) writeFileSync(join(mount, 'ballast', `${n}`), '');
    },
    heal: ({ mount }) => {
      rmSync(join(mount, 'ballast'), { recursive: true, force: true });
    },
  },
  quota: {
    fs: 'btrfs',
    mkfs: [],
    // Limits of btrfs hold for root too; those of most kernels' ext4 and xfs do not, or are not built.
    fail: async ({ mount }) =>
      void (await runChecked('btrfs', ['qgroup', 'limit', '1M', QGROUP, mount])),
    heal: async ({ mount }) =>
      void (await runChecked('btrfs', ['qgroup', 'limit', 'none', QGROUP, mount])),
  },
  'read-only': {
    fs: 'ext4',
    mkfs: ['-F'],
    // The kernel refuses while a file is open for writing.
    fail: async ({ mount }) => {
      for (let n = 0; n < 1000; n += 1) {
        if ((await runProcess('mount', ['-o', 'remount,ro', mount])).exitCode === 0) return;
      }
      throw new Error('remount read-only: always busy');
    },
    heal: async ({ mount }) => void (await runChecked('mount', ['-o', 'remount,rw', mount])),
  },
  'shut down': {
    fs: 'xfs',
    mkfs: ['-f'],
    // What xfs does by itself when its log cannot be written: every call is EIO.
    fail: async ({ mount }) =>
      void (await runChecked('xfs_io', ['-x', '-c', 'shutdown -f', mount])),
    heal: async (disk) => {
      await unmount(disk.mount);
      await runChecked('mount', ['-o', 'loop', disk.image, disk.mount]);
    },
  },
  'lost writes': {
    fs: 'ext4',
    mkfs: ['-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0'],
    // The file below has no room for more: the disk fails all writes to blocks it has not got yet.
    fail: async ({ backing }) => {
      // It is refused when the file has grown meanwhile.
      for (let n = 0; n < 1000; n += 1) {
        const { blocks, bfree, bsize } = statfsSync(backing);
        const used = Math.max(1, Math.ceil(((blocks - bfree) * bsize) / 4096)) * 4096;
        const smaller = await runProcess('mount', ['-o', `remount,size=${used}`, backing]);
        if (smaller.exitCode === 0) return;
      }
      throw new Error('remount smaller: it always grew');
    },
    heal: async ({ backing, image, mount }) => {
      await runChecked('mount', ['-o', `remount,size=${2 * SIZE_MB}m`, backing]);
      await unmount(mount);
      // It ends with 1 where it mended something.
      const { exitCode, stdout } = await runProcess('e2fsck', ['-f', '-y', image]);
      if (exitCode > 1) throw new Error(`e2fsck: ${stdout.toString('utf8')}`);
      await runChecked('mount', ['-o', 'loop', image, mount]);
    },
  },
};

/** Makes a fresh file system on a disk that can get into this trouble. Needs root. */
export async function openFailingDisk(trouble: Trouble): Promise<FailingDisk> {
  const kind = KINDS[trouble];
  const base = mkdtempSync('/dev/shm/sysct-failing-');
  const backing = join(base, 'backing');
  const mount = join(base, 'mnt');
  const disk = { backing, image: join(backing, 'image'), mount, directory: join(mount, 'site') };
  const dispose = async (): Promise<void> => {
    // Whoever builds or boots a root meanwhile holds our mounts for as long.
    for (const directory of [mount, backing]) await runProcess('umount', ['--lazy', directory]);
    rmSync(base, { recursive: true, force: true });
  };
  try {
    for (const directory of [backing, mount]) mkdirSync(directory);
    await runChecked('mount', ['-t', 'tmpfs', '-o', `size=${2 * SIZE_MB}m`, 'tmpfs', backing]);
    writeFileSync(disk.image, '');
    truncateSync(disk.image, SIZE_MB * 1024 ** 2);
    await runChecked(`mkfs.${kind.fs}`, ['-q', ...kind.mkfs, disk.image]);
    await runChecked('mount', ['-o', 'loop', disk.image, mount]);
    if (trouble === 'quota') {
      await runChecked('btrfs', ['subvolume', 'create', disk.directory]);
      await runChecked('btrfs', ['quota', 'enable', mount]);
    } else mkdirSync(disk.directory);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    directory: disk.directory,
    fail: async () => {
      await kind.fail(disk);
    },
    heal: async () => {
      await kind.heal(disk);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
