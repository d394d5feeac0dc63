// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a directory takes of its file system. */
export interface DiskRoom {
  /** Blocks that are taken, in bytes, as du(1) says. */
  readonly allocatedBytes: number;
  /** Sizes of the regular files, as `du --apparent-size` without directories says. */
  readonly apparentBytes: number;
  readonly inodes: number;
}

/** Adds up all that is below `directory` and itself; hard links once. */
export function roomOf(directory: string): DiskRoom {
  const seen = new Set<number>();
  let [allocatedBytes, apparentBytes] = [0, 0];
  visit(directory);
  return { allocatedBytes, apparentBytes, inodes: seen.size };

  function visit(path: string): void {
    const stat = lstatSync(path);
    if (seen.has(stat.ino)) return;
    seen.add(stat.ino);
    allocatedBytes += stat.blocks * 512;
    if (stat.isFile()) apparentBytes += stat.size;
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  }
}
