// SPDX-License-Identifier: Apache-2.0
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { quote } from '../../base/printable.ts';
import { formatSize } from '../../base/size.ts';
import { StoreError } from './store-error.ts';

/**
 * @param directory of the store; need not exist, its nearest existing parent counts then.
 * @throws StoreError NO_SPACE when the file system has fewer than `bytes` left for use.
 */
export function assertFreeSpace(directory: string, bytes: number): void {
  let existing = directory;
  while (!existsSync(existing) && existing !== '/') existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new StoreError(
    'NO_SPACE',
    `preparing store ${quote(directory)}: at least ${formatSize(bytes)} are needed, ${formatSize(free)} are free`,
    { hint: 'free some space there, or move the store to a larger file system' },
  );
}
