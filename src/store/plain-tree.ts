// SPDX-License-Identifier: Apache-2.0
import type { DirectoryInode } from './inode.ts';
import type { InlineContent, ObjectContent } from './erofs/write-erofs-image.ts';

export interface PlainTreeSources {
  readInline(content: InlineContent): Uint8Array;
  /** The path of the object's file; it is reflinked where that works, else copied. */
  objectPath(content: ObjectContent): string;
}

export interface PlainTreeReport {
  readonly inodes: number;
  /** What the directory lacks of the tree, one line each: `dev/null: device needs root`. Empty as root on a common file system. */
  readonly omissions: readonly string[];
}

/**
 * Writes `tree` into `directory`, which must exist, be empty, and be reachable by nobody else until
 * this is done. No path it opens has a symbolic link in it: directories first, symbolic links last.
 * Durable on return. What the file system or the caller's rights cannot give is reported, not
 * fatal; anything half written after an error is the caller's to remove.
 *
 * @throws CheckoutError NOT_EMPTY
 */
export async function writePlainTree(
  _tree: DirectoryInode,
  _directory: string,
  _sources: PlainTreeSources,
  _signal: AbortSignal,
): Promise<PlainTreeReport> {
  throw new Error('being written');
}
