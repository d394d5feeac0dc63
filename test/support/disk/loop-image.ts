// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';
import { unmount } from './unmount.ts';

export type FileSystemKind = 'ext4' | 'xfs' | 'btrfs';

export interface LoopImageOptions {
  readonly fs: FileSystemKind;
  /** Of the file system; the image file is sparse. mkfs.xfs refuses less than 300, mkfs.btrfs less than 110. */
  readonly sizeMb: number;
  /** More arguments for mkfs, for example `['-O', 'verity']`. */
  readonly mkfs?: readonly string[];
  /** More mount options, for example `['noatime']`. */
  readonly mount?: readonly string[];
}

export interface LoopImage extends AsyncDisposable {
  /** Where the file system is mounted; empty but for what mkfs makes (`lost+found`). */
  readonly directory: string;
  /** The image file: copy it to see what a power cut would leave. */
  readonly imageFile: string;
}

/**
 * A fresh file system of a known kind, because the root file systems of build machines differ in
 * speed and features. Needs root. Unmounts and removes everything when `use` is done.
 */
export async function withLoopImage<T>(
  options: LoopImageOptions,
  use: (directory: string) => Promise<T> | T,
): Promise<T> {
  await using image = await openLoopImage(options);
  return await use(image.directory);
}

/** As {@link withLoopImage}, for callers that close it themselves (`await using`, or an `after` hook). */
export async function openLoopImage(options: LoopImageOptions): Promise<LoopImage> {
  const base = mkdtempSync(join(imageParent(options.sizeMb), 'sysct-loop-'));
  const imageFile = join(base, 'image');
  const directory = join(base, 'mnt');
  try {
    writeFileSync(imageFile, '');
    truncateSync(imageFile, options.sizeMb * 1024 * 1024);
    mkdirSync(directory);
    await runChecked(`mkfs.${options.fs}`, [
      ...QUIET[options.fs],
      ...(options.mkfs ?? []),
      imageFile,
    ]);
    const flags = ['loop', ...(options.mount ?? [])].join(',');
    await runChecked('mount', ['-t', options.fs, '-o', flags, imageFile, directory]);
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
  return {
    directory,
    imageFile,
    [Symbol.asyncDispose]: async () => {
      await unmount(directory);
      // A mount namespace that is just being torn down may hold it for a moment longer.
      rmSync(base, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

const QUIET = { ext4: ['-q', '-F'], xfs: ['-q', '-f'], btrfs: ['-q', '-f'] } as const;

// Memory where there is room for a full image, so that the disk under it does not colour timings.
function imageParent(sizeMb: number): string {
  const shared = statfsSync('/dev/shm');
  return shared.bavail * shared.bsize > sizeMb * 1024 * 1024 * 1.1 ? '/dev/shm' : tmpdir();
}
