// SPDX-License-Identifier: Apache-2.0
import type { Inode } from '../../../src/store/tree/inode.ts';
import { type InodeNumber, ROOT, Tree } from '../../../src/store/tree/tree.ts';

/** Adds an inode that is given as a value. */
export function addInode(tree: Tree, inode: Inode): InodeNumber {
  switch (inode.type) {
    case 'file':
      return tree.addFile(inode, inode.content);
    case 'directory':
      return tree.addDirectory(inode);
    case 'symlink':
      return tree.addSymlink(inode, inode.target);
    case 'char':
    case 'block':
      return tree.addDevice(inode.type, inode, inode.deviceMajor, inode.deviceMinor);
    case 'fifo':
      return tree.addFifo(inode);
  }
}

/** An equal tree whose directories were filled in the opposite order, each inode as `change` makes it. */
export function rebuiltTree(tree: Tree, change = (inode: Inode): Inode => inode): Tree {
  const rebuilt = new Tree(undefined, change(tree.inode(ROOT)));
  const numbers = new Map<InodeNumber, InodeNumber>();
  fill(ROOT, ROOT);
  return rebuilt;

  function fill(from: InodeNumber, to: InodeNumber): void {
    for (const [name, inode] of [...tree.children(from)].reverse()) {
      const number = numbers.get(inode) ?? addInode(rebuilt, change(tree.inode(inode)));
      numbers.set(inode, number);
      rebuilt.setChild(to, name, number);
      if (tree.isDirectory(inode)) fill(inode, number);
    }
  }
}
