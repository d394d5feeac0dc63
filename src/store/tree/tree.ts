// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { joinPath, ROOT_PATH } from './entry-path.ts';
import { type DirectoryInode, type Inode, NO_XATTRS } from './inode.ts';

/** A file system in memory: names and metadata; the bytes of files are named by digest. */
export interface Tree {
  readonly root: DirectoryInode;
}

/** A root directory and nothing in it: 0755, root:root, mtime 0. */
export function emptyTree(): Tree {
  return { root: newDirectory() };
}

/** What is made where nothing says how a directory should be: 0755, root:root, mtime 0. */
export function newDirectory(): DirectoryInode {
  return {
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    mtimeNanoseconds: 0,
    xattrs: NO_XATTRS,
    children: new Map(),
  };
}

/** A tree that shares nothing that can change with `tree`; hard links stay hard links. */
export function copyTree(tree: Tree): Tree {
  const copies = new Map<Inode, Inode>();
  const root = { ...tree.root, children: new Map<ByteString, Inode>() };
  const open: [DirectoryInode, DirectoryInode][] = [[tree.root, root]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [from, to] = pair;
    for (const [name, inode] of from.children) {
      if (inode.type === 'directory') {
        const copy = { ...inode, children: new Map<ByteString, Inode>() };
        to.children.set(name, copy);
        open.push([inode, copy]);
      } else {
        const copy = copies.get(inode) ?? { ...inode };
        copies.set(inode, copy);
        to.children.set(name, copy);
      }
    }
  }
  return { root };
}

/** The inodes that have more than one name, with how many. */
export function countHardLinks(tree: Tree): Map<Inode, number> {
  const once = new Set<Inode>();
  const counts = new Map<Inode, number>();
  const open = [tree.root];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const inode of directory.children.values()) {
      if (inode.type === 'directory') open.push(inode);
      else if (once.has(inode)) counts.set(inode, (counts.get(inode) ?? 1) + 1);
      else once.add(inode);
    }
  }
  return counts;
}

/** Bytes of all files of the tree, hard links counted once. */
export function contentBytes(tree: Tree): number {
  let bytes = 0;
  const links = new Set<Inode>();
  const open = [tree.root];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const inode of directory.children.values()) {
      if (inode.type === 'directory') open.push(inode);
      else if (inode.type === 'file' && !links.has(inode)) {
        links.add(inode);
        bytes += inode.content.sizeBytes;
      }
    }
  }
  return bytes;
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
  const links = countHardLinks(tree);
  const firstPaths = new Map<Inode, ByteString>();
  yield { path: ROOT_PATH, inode: tree.root, linkOf: undefined };
  const open = [sortedChildren(ROOT_PATH, tree.root)];
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const next = level.children[level.next];
    level.next += 1;
    if (next === undefined) {
      open.pop();
      continue;
    }
    const [name, inode] = next;
    const path = joinPath(level.path, name);
    yield { path, inode, linkOf: firstPaths.get(inode) };
    if (inode.type === 'directory') open.push(sortedChildren(path, inode));
    else if (links.has(inode) && !firstPaths.has(inode)) firstPaths.set(inode, path);
  }
}

interface Level {
  readonly path: ByteString;
  readonly children: readonly (readonly [ByteString, Inode])[];
  next: number;
}

function sortedChildren(path: ByteString, directory: DirectoryInode): Level {
  const children = [...directory.children].sort(([a], [b]) => (a < b ? -1 : 1));
  return { path, children, next: 0 };
}
