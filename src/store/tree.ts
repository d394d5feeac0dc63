// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import type { DirectoryInode, Inode } from './inode.ts';

/** A file system in memory: names and metadata; the bytes of files are named by digest. */
export interface Tree {
  readonly root: DirectoryInode;
}

/** A root directory and nothing in it: 0755, root:root, mtime 0. */
export function emptyTree(): Tree {
  throw new Error('not yet');
}

/** A tree that shares nothing that can change with `tree`; hard links stay hard links. */
export function copyTree(tree: Tree): Tree {
  void tree;
  throw new Error('not yet');
}

/** One name met on a walk. */
export interface WalkedEntry {
  /** Without a leading slash; empty for the root. */
  readonly path: ByteString;
  readonly inode: Inode;
  /** For the second and later names of a hard-linked inode: the first one. */
  readonly linkOf: ByteString | undefined;
}

/** Every name of the tree, the root first, a directory before its children, children bytewise by name. */
export function* walkTree(tree: Tree): Generator<WalkedEntry, void, undefined> {
  yield { path: '' as ByteString, inode: tree.root, linkOf: undefined };
  throw new Error('not yet');
}
