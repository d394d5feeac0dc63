// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { runChecked, runProcess } from '../../../src/sys/process.ts';
import type { FileSystemKind } from './loop-image.ts';
import { unmount } from './unmount.ts';

/**
 * Mounts an image file at `mountPoint` for as long as `use` runs. When this resolves the kernel has let go of
 * the file, so it can be written again: a host that boots at the same moment may hold our mounts for a while.
 */
export async function withMountedImage<T>(
  fs: FileSystemKind,
  image: string,
  mountPoint: string,
  use: () => Promise<T> | T,
): Promise<T> {
  mkdirSync(mountPoint, { recursive: true });
  await runChecked('mount', ['-t', fs, '-o', 'loop', image, mountPoint]);
  try {
    return await use();
  } finally {
    await unmount(mountPoint);
    await untilDetached(image);
  }
}

/** Waits until no loop device has the file open: whoever builds a root meanwhile holds our mounts for minutes. */
export async function untilDetached(image: string): Promise<void> {
  for (let n = 0; n < 3000; n += 1) {
    const { stdout } = await runProcess('losetup', ['--noheadings', '--associated', image]);
    if (stdout.length === 0) return;
    await delay(100);
  }
  throw new Error(`a loop device keeps ${image} open`);
}
