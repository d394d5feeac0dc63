// SPDX-License-Identifier: Apache-2.0
import { runChecked } from './process.ts';

/** One mount as mount(8), fstab(5) and systemd.mount(5) describe it. */
export interface MountDescription {
  /** Device, image file, or the word that stands for none (`overlay`). */
  readonly what: string;
  /** Absolute path of the mount point. */
  readonly where: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Mounts by mount(8), which sets up a loop device where `what` is an image file. @throws ProcessError */
export async function mountFileSystem(mount: MountDescription, signal: AbortSignal): Promise<void> {
  const options = mount.options.length === 0 ? [] : ['-o', mount.options.join(',')];
  await runChecked('mount', ['-t', mount.type, ...options, '--', mount.what, mount.where], {
    signal,
  });
}

/** Unmounts the topmost mount at `where`; its loop device goes with it. @throws ProcessError when busy or not mounted. */
export async function unmountFileSystem(where: string, signal?: AbortSignal): Promise<void> {
  await runChecked('umount', ['--', where], signal === undefined ? {} : { signal });
}
