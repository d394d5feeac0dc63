// SPDX-License-Identifier: Apache-2.0
import { type ByteString, displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import { type InodeNumber, type NameNumber, ROOT, type Tree } from '../tree/tree.ts';
import { BLOCK_BYTES, DIRENT_BYTES, MAX_NAME_BYTES } from './format.ts';

/** A name in a directory of the image: one of the tree, or a negative number for what only the image has. */
export type ImageName = number;

export const DOT: ImageName = -1;
export const DOT_DOT: ImageName = -2;

/** Names `first` to `end` (exclusive) of a directory that share a block, and the bytes they take. */
export interface DirectoryBlock {
  readonly first: number;
  readonly end: number;
  readonly sizeBytes: number;
}

/** The names in the directories of an image: the tree's, `.` and `..`, and in the root the whiteouts over the objects. */
export class DirectoryNames {
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** Throws CheckoutError for a name that no directory entry can hold. */
  assertNames(directory: InodeNumber): void {
    for (const name of this.#tree.names(directory)) this.#assertName(name);
  }

  /** Bytewise. */
  of(directory: InodeNumber): ImageName[] {
    const own = this.#tree.names(directory);
    const added = directory === ROOT ? this.#addedToRoot() : ALWAYS;
    const merged: ImageName[] = [];
    let next = 0;
    for (const name of own) {
      if (next < added.length) {
        const text = this.#tree.name(name);
        for (; next < added.length && this.text(added[next] ?? DOT) < text; next += 1) {
          merged.push(added[next] ?? DOT);
        }
      }
      merged.push(name);
    }
    for (const name of added.slice(next)) merged.push(name);
    return merged;
  }

  /** The tree's inode of a name; undefined for a whiteout over a directory of objects. */
  inodeOf(name: ImageName): InodeNumber | undefined {
    return name > 0 ? this.#tree.inodeOf(name) : undefined;
  }

  text(name: ImageName): ByteString {
    if (name > 0) return this.#tree.name(name);
    return (ADDED[-1 - name] ?? '') as ByteString;
  }

  length(name: ImageName): number {
    return name > 0 ? this.#tree.nameLength(name) : name === DOT ? 1 : 2;
  }

  /** Copies a name's bytes to `at` of `target`. */
  copy(name: ImageName, target: Buffer, at: number): void {
    if (name > 0) this.#tree.copyName(name, target, at);
    else target.write(this.text(name), at, 'latin1');
  }

  /** The block that begins with the name `first`: as many names as fit, in order. */
  block(names: readonly ImageName[], first: number): DirectoryBlock {
    let sizeBytes = 0;
    let end = first;
    for (; end < names.length; end += 1) {
      const entryBytes = DIRENT_BYTES + this.length(names[end] ?? DOT);
      if (sizeBytes + entryBytes > BLOCK_BYTES) break;
      sizeBytes += entryBytes;
    }
    return { first, end, sizeBytes };
  }

  #addedToRoot(): readonly ImageName[] {
    const whiteouts = ADDED.map((_text, index) => -1 - index).slice(2);
    return [
      ...ALWAYS,
      ...whiteouts.filter((name) => this.#tree.child(ROOT, this.text(name)) === undefined),
    ];
  }

  #assertName(number: NameNumber): void {
    const name = this.#tree.name(number);
    const isImpossible = name === '' || name === '.' || name === '..' || /[/\0]/.test(name);
    if (!isImpossible && name.length <= MAX_NAME_BYTES) return;
    throw new CheckoutError(
      'TREE_NOT_REPRESENTABLE',
      `writing a directory: ${quote(displayBytes(name))} cannot be the name of a file`,
    );
  }
}

const ALWAYS: readonly ImageName[] = [DOT, DOT_DOT];
const ADDED: readonly string[] = [
  '.',
  '..',
  ...Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0')),
];
