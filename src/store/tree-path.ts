// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import type { Inode } from './inode.ts';
import type { Tree } from './tree.ts';

/**
 * The inode at `path`, symbolic links followed inside the tree (absolute ones from its root, `..`
 * never above it), like stat(2) after chroot(2). Undefined when there is none, a link loops, or a parent is no directory.
 */
export function lookup(tree: Tree, path: ByteString): Inode | undefined {
  void [tree, path];
  throw new Error('not yet');
}

/** {@link lookup}, but a symbolic link as the last component is the answer itself, like lstat(2). */
export function lookupNoFollow(tree: Tree, path: ByteString): Inode | undefined {
  void [tree, path];
  throw new Error('not yet');
}

/**
 * Makes `path` a directory, with the missing ones above it (0755, root:root, mtime 0); symbolic
 * links are followed inside the tree, and what a dangling one names is made.
 * @returns whether anything was created.
 * @throws LayerError `PARENT_NOT_DIRECTORY` when something else is in the way.
 */
export function ensureDirectory(tree: Tree, path: ByteString): boolean {
  void [tree, path];
  throw new Error('not yet');
}

/**
 * Makes `path` something that a file can be bind-mounted on: left alone when it is there and no directory,
 * otherwise an empty file (0644, root:root, mtime 0), its parents as {@link ensureDirectory} does.
 * @returns whether anything was created.
 * @throws LayerError `PARENT_NOT_DIRECTORY` when a directory is there, or a parent is none.
 */
export function ensureFile(tree: Tree, path: ByteString): boolean {
  void [tree, path];
  throw new Error('not yet');
}
