// SPDX-License-Identifier: Apache-2.0
import { BLOCK_BYTES, DIRENT_BYTES } from './format.ts';

/** The entries `first` to `end` (exclusive) of a directory that share a block, and the bytes they take. */
export interface DirectoryBlock {
  readonly first: number;
  readonly end: number;
  readonly sizeBytes: number;
}

/** The block that begins with the entry `first`: as many entries as fit, in order. */
export function directoryBlock(names: readonly string[], first: number): DirectoryBlock {
  let sizeBytes = 0;
  let end = first;
  for (; end < names.length; end += 1) {
    const entryBytes = DIRENT_BYTES + (names[end] ?? '').length;
    if (sizeBytes + entryBytes > BLOCK_BYTES) break;
    sizeBytes += entryBytes;
  }
  return { first, end, sizeBytes };
}
