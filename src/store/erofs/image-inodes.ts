// SPDX-License-Identifier: Apache-2.0
import { displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';
import type { SharedAttributes } from '../tree/attribute-table.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import { NO_XATTRS } from '../tree/inode.ts';
import { type InodeNumber, ROOT, type Tree } from '../tree/tree.ts';
import { DirectoryNames, DOT, DOT_DOT, type ImageName } from './directory-names.ts';
import { FILE_TYPES } from './format.ts';
import { assertRepresentable } from './representable.ts';

/** An inode's number in the image. */
export type ImageNumber = number;

/** Stands for the inode of the tree of a whiteout that hides a directory of objects. */
const WHITEOUT = 0xffffffff;

/**
 * The inodes of the image in its order: breadth first, names bytewise; an inode with several names
 * stands where the first of them does. The root gets a whiteout for each of the 256 directories of
 * objects, because an overlay without data-only layers would show them (Linux before 6.5).
 * Columns, as in the tree: a million inodes must fit into the memory that is left beside it.
 */
export class ImageInodes {
  readonly tree: Tree;
  readonly names: DirectoryNames;
  /** By the number of a directory, the one that it lies in. */
  readonly #parents: Uint32Array;
  /** Directories that overlay has to find something on. */
  readonly marked = new Map<ImageNumber, { hasWhiteout: boolean; isOpaque: boolean }>();
  #count = 0;
  readonly #inode: Uint32Array;
  /** See {@link InodeKind}. */
  readonly #kind: Uint8Array;
  readonly #nlink: Uint32Array;
  /** By the tree's number: one more than the image's, 0 while there is none. */
  readonly #numbers: Uint32Array;
  /** The whiteouts over the objects, by their names, and what they all have. */
  readonly #whiteouts = new Map<ImageName, ImageNumber>();
  readonly #whiteout: SharedAttributes;

  /** @throws CheckoutError TREE_NOT_REPRESENTABLE */
  constructor(tree: Tree) {
    this.tree = tree;
    this.names = new DirectoryNames(tree);
    this.#inode = new Uint32Array(tree.inodeCount + 256);
    this.#kind = new Uint8Array(tree.inodeCount + 256);
    this.#nlink = new Uint32Array(tree.inodeCount + 256);
    this.#numbers = new Uint32Array(tree.inodeCount);
    this.#parents = new Uint32Array(tree.inodeCount + 256);
    const { uid, gid } = tree.attributes(ROOT);
    this.#whiteout = { mode: 0o644, uid, gid, xattrs: NO_XATTRS };
    this.#add(ROOT);
    this.#mark(0).isOpaque = true;
    for (let number = 0; number < this.#count; number += 1) {
      if (this.#kind[number] === KINDS.directory) this.#addChildren(number);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Whether it is one of the whiteouts of the root, of which the tree knows nothing. */
  isObjectWhiteout(number: ImageNumber): boolean {
    return this.#kind[number] === KINDS.objectWhiteout;
  }

  /** What an inode is to the image. */
  kind(number: ImageNumber): InodeKind {
    return KIND_NAMES[this.#kind[number] ?? 0] ?? 'plain';
  }

  /** The tree's number of an inode that is no {@link isObjectWhiteout}. */
  inodeOf(number: ImageNumber): InodeNumber {
    return this.#inode[number] ?? ROOT;
  }

  /** What a name of a directory, other than `.` and `..`, leads to. */
  numberOfName(name: ImageName): ImageNumber {
    const inode = this.names.inodeOf(name);
    if (inode === undefined) return this.#whiteouts.get(name) ?? 0;
    return (this.#numbers[inode] ?? 1) - 1;
  }

  /** What `..` of a directory leads to. */
  parentOf(directory: ImageNumber): ImageNumber {
    return this.#parents[directory] ?? 0;
  }

  nlink(number: ImageNumber): number {
    return this.#nlink[number] ?? 1;
  }

  attributes(number: ImageNumber): SharedAttributes {
    return this.isObjectWhiteout(number)
      ? this.#whiteout
      : this.tree.attributes(this.inodeOf(number));
  }

  mtimeSeconds(number: ImageNumber): number {
    return this.tree.mtimeSeconds(this.#timed(number));
  }

  mtimeNanoseconds(number: ImageNumber): number {
    return this.tree.mtimeNanoseconds(this.#timed(number));
  }

  fileType(number: ImageNumber): (typeof FILE_TYPES)[keyof typeof FILE_TYPES] {
    const kind = this.kind(number);
    switch (kind) {
      case 'plain':
      case 'device':
        return FILE_TYPES[this.tree.type(this.inodeOf(number))];
      case 'objectWhiteout':
        return FILE_TYPES.char;
      case 'redirect':
      case 'inline':
      case 'escapedWhiteout':
        return FILE_TYPES.file;
      case 'directory':
      case 'symlink':
        return FILE_TYPES[kind];
    }
  }

  #timed(number: ImageNumber): InodeNumber {
    return this.isObjectWhiteout(number) ? ROOT : this.inodeOf(number);
  }

  #addChildren(directory: ImageNumber): void {
    const { tree, names } = this;
    let subdirectories = 0;
    names.assertNames(this.inodeOf(directory));
    for (const name of names.of(this.inodeOf(directory))) {
      if (name === DOT || name === DOT_DOT) continue;
      const inode = names.inodeOf(name);
      if (inode === undefined) {
        this.#whiteouts.set(name, this.#add(WHITEOUT));
        continue;
      }
      const known = this.#numbers[inode] ?? 0;
      if (known !== 0) {
        if (tree.isDirectory(inode)) throw secondName(tree, name);
        this.#nlink[known - 1] = this.nlink(known - 1) + 1;
      }
      if (known === 0) assertRepresentable(tree, inode);
      const number = known === 0 ? this.#add(inode) : known - 1;
      const kind = this.kind(number);
      if (kind === 'escapedWhiteout') this.#mark(directory).hasWhiteout = true;
      if (kind !== 'directory' || known !== 0) continue;
      subdirectories += 1;
      this.#parents[number] = directory;
      if (directory === 0 && OBJECT_DIRECTORY.test(tree.name(name))) {
        this.#mark(number).isOpaque = true;
      }
    }
    this.#nlink[directory] = 2 + subdirectories;
  }

  #add(inode: InodeNumber): ImageNumber {
    const number = this.#count;
    this.#count += 1;
    this.#inode[number] = inode;
    this.#kind[number] =
      inode === WHITEOUT ? KINDS.objectWhiteout : KINDS[kindOf(this.tree, inode)];
    this.#nlink[number] = 1;
    if (inode !== WHITEOUT) this.#numbers[inode] = number + 1;
    return number;
  }

  #mark(directory: ImageNumber): { hasWhiteout: boolean; isOpaque: boolean } {
    const mark = this.marked.get(directory) ?? { hasWhiteout: false, isOpaque: false };
    this.marked.set(directory, mark);
    return mark;
  }
}

/** What an inode is to the image, a byte of it each. */
const KIND_NAMES = [
  /** Nothing follows it: an empty file, a FIFO. */
  'plain',
  /** A file whose bytes are an object. */
  'redirect',
  /** A file whose bytes are in the image. */
  'inline',
  'directory',
  'symlink',
  'device',
  /** A 0:0 character device of the tree, which overlay would take for "this name is deleted". */
  'escapedWhiteout',
  /** Over a directory of objects: the tree knows nothing of it. */
  'objectWhiteout',
] as const;

export type InodeKind = (typeof KIND_NAMES)[number];

const KINDS = Object.fromEntries(KIND_NAMES.map((name, code) => [name, code])) as Record<
  InodeKind,
  number
>;

function kindOf(tree: Tree, inode: InodeNumber): InodeKind {
  const type = tree.type(inode);
  switch (type) {
    case 'file':
      if (tree.sizeBytes(inode) === 0) return 'plain';
      return tree.layer(inode) === undefined ? 'redirect' : 'inline';
    case 'directory':
    case 'symlink':
      return type;
    case 'char': {
      const [major, minor] = tree.deviceNumbers(inode);
      return major === 0 && minor === 0 ? 'escapedWhiteout' : 'device';
    }
    case 'block':
      return 'device';
    case 'fifo':
      return 'plain';
  }
}

const OBJECT_DIRECTORY = /^[0-9a-f]{2}$/;

function secondName(tree: Tree, name: number): CheckoutError {
  return new CheckoutError(
    'TREE_NOT_REPRESENTABLE',
    `writing an EROFS image: directory ${quote(displayBytes(tree.name(name)))} has a second name`,
  );
}
