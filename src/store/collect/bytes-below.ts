// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../disk/names-in.ts';

/**
 * The bytes of all files at `path` and below; a file with several names counts once.
 * @param counted inodes that count for nothing; those met are put in.
 */
export function bytesBelow(path: string, counted = new Set<number | undefined>()): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (stat.isDirectory()) {
    return namesIn(path).reduce((sum, name) => sum + bytesBelow(join(path, name), counted), 0);
  }
  if (!stat.isFile() || (stat.nlink > 1 && counted.has(stat.ino))) return 0;
  if (stat.nlink > 1) counted.add(stat.ino);
  return stat.size;
}
