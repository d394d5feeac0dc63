// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { SharedAttributes } from './attribute-table.ts';
import { ByteArena } from './byte-arena.ts';
import { joinPath, ROOT_PATH } from './entry-path.ts';
import {
  type FileContent,
  type Inode,
  type InodeAttributes,
  type InodeType,
  NO_XATTRS,
} from './inode.ts';
import { InodeTable } from './inode-table.ts';
import { NameTable } from './name-table.ts';

/** An inode's number in its tree, given in the order of their making; the root has 0. Two names of one hard-linked file have the same. */
export type InodeNumber = number;

/** A name in a directory; only the tree that gave it knows what it is. */
export type NameNumber = number;

export const ROOT: InodeNumber = 0;

/** How much a tree should have room for from the start; it grows as it needs to, at the price of copies. */
export interface TreeCapacity {
  readonly inodes: number;
  readonly names: number;
}

/** What is made where nothing says how a directory should be: 0755, root:root, mtime 0. */
export const DEFAULT_DIRECTORY: InodeAttributes = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  xattrs: NO_XATTRS,
};

const SMALL: TreeCapacity = { inodes: 64, names: 64 };

/**
 * A file system in memory: names and metadata; the bytes of files are named by digest. It is kept in columns (docs/adr/0027).
 * Inodes that no name leads to any more are not seen, and cost their memory until the tree goes.
 */
export class Tree {
  readonly #arena = new ByteArena();
  readonly #inodes: InodeTable;
  readonly #names: NameTable;

  /** A root directory and nothing in it. */
  constructor(capacity: TreeCapacity = SMALL, root: InodeAttributes = DEFAULT_DIRECTORY) {
    this.#inodes = new InodeTable(this.#arena, capacity.inodes);
    this.#names = new NameTable(this.#arena, capacity.names);
    this.#inodes.add('directory', root);
  }

  /** One more than the highest number of an inode. */
  get inodeCount(): number {
    return this.#inodes.count;
  }

  type(inode: InodeNumber): InodeType {
    return this.#inodes.type(inode);
  }

  isDirectory(inode: InodeNumber): boolean {
    return this.#inodes.isDirectory(inode);
  }

  /** All that is known of an inode, as a value. */
  inode(inode: InodeNumber): Inode {
    return this.#inodes.value(inode);
  }

  attributes(inode: InodeNumber): SharedAttributes {
    return this.#inodes.shared(inode);
  }

  mtimeSeconds(inode: InodeNumber): number {
    return this.#inodes.seconds(inode);
  }

  mtimeNanoseconds(inode: InodeNumber): number {
    return this.#inodes.nanoseconds(inode);
  }

  /** Of a file. */
  sizeBytes(inode: InodeNumber): number {
    return this.#inodes.first(inode);
  }

  /** Of a file: the layer that its bytes lie in, undefined where they are an object. */
  layer(inode: InodeNumber): LayerKey | undefined {
    return this.#inodes.layer(inode);
  }

  /** Of a file whose bytes lie in a layer: where they begin in its file. */
  offset(inode: InodeNumber): number {
    return this.#inodes.second(inode);
  }

  /** Of a file. */
  digest(inode: InodeNumber): Digest {
    return this.#inodes.digest(inode);
  }

  /** Of a file: copies the 32 bytes of its digest to `at` of `target`. */
  copyDigest(inode: InodeNumber, target: Uint8Array, at: number): void {
    this.#inodes.copyDigest(inode, target, at);
  }

  /** The digests of all inodes, 32 bytes each, by number; valid until one is added. */
  get digests(): Uint8Array {
    return this.#inodes.digests;
  }

  content(inode: InodeNumber): FileContent {
    return this.#inodes.content(inode);
  }

  /** Of a symbolic link. */
  target(inode: InodeNumber): ByteString {
    return this.#inodes.target(inode);
  }

  targetLength(inode: InodeNumber): number {
    return this.#inodes.second(inode);
  }

  deviceNumbers(inode: InodeNumber): readonly [major: number, minor: number] {
    return [this.#inodes.first(inode), this.#inodes.second(inode)];
  }

  addFile(attributes: InodeAttributes, content: FileContent): InodeNumber {
    return this.#inodes.addFile(attributes, content);
  }

  addDirectory(attributes: InodeAttributes): InodeNumber {
    return this.#inodes.add('directory', attributes);
  }

  addSymlink(attributes: InodeAttributes, target: ByteString): InodeNumber {
    return this.#inodes.addSymlink(attributes, target);
  }

  addDevice(
    type: 'char' | 'block',
    attributes: InodeAttributes,
    major: number,
    minor: number,
  ): InodeNumber {
    return this.#inodes.add(type, attributes, major, minor);
  }

  addFifo(attributes: InodeAttributes): InodeNumber {
    return this.#inodes.add('fifo', attributes);
  }

  /** Gives an inode these attributes, all of them. */
  setAttributes(inode: InodeNumber, attributes: InodeAttributes): void {
    this.#inodes.setAttributes(inode, attributes);
  }

  /** What `name` in a directory leads to. */
  child(directory: InodeNumber, name: ByteString): InodeNumber | undefined {
    const entry = this.#names.find(directory, name);
    return entry === 0 || this.#names.isGone(entry) ? undefined : this.#names.inode(entry);
  }

  /** Makes `name` in a directory lead to an inode, whatever it led to. */
  setChild(directory: InodeNumber, name: ByteString, inode: InodeNumber): void {
    const known = this.#names.find(directory, name);
    if (known !== 0) {
      this.#names.setInode(known, inode);
      return;
    }
    const entry = this.#names.add(directory, name, inode);
    const last = this.#inodes.second(directory);
    if (last === 0) this.#inodes.setFirst(directory, entry);
    else this.#names.setNext(last, entry);
    this.#inodes.setSecond(directory, entry);
  }

  removeChild(directory: InodeNumber, name: ByteString): void {
    const entry = this.#names.find(directory, name);
    if (entry !== 0) this.#names.remove(entry);
  }

  removeChildren(directory: InodeNumber): void {
    const first = this.#inodes.first(directory);
    for (let entry = first; entry !== 0; entry = this.#names.next(entry)) this.#names.remove(entry);
  }

  /** The names in a directory and what they lead to, bytewise by name. */
  *children(directory: InodeNumber): Generator<[ByteString, InodeNumber], void, undefined> {
    for (const entry of this.names(directory)) yield [this.name(entry), this.inodeOf(entry)];
  }

  /** The names in a directory as they lie in the tree, bytewise. */
  names(directory: InodeNumber): NameNumber[] {
    const entries: number[] = [];
    let isSorted = true;
    let previous = 0;
    const first = this.#inodes.first(directory);
    for (let entry = first; entry !== 0; entry = this.#names.next(entry)) {
      if (this.#names.isGone(entry)) continue;
      isSorted &&= previous === 0 || this.#names.compare(previous, entry) < 0;
      previous = entry;
      entries.push(entry);
    }
    return isSorted ? entries : entries.sort((a, b) => this.#names.compare(a, b));
  }

  name(name: NameNumber): ByteString {
    return this.#names.name(name);
  }

  nameLength(name: NameNumber): number {
    return this.#names.nameLength(name);
  }

  /** Copies a name's bytes to `at` of `target`. */
  copyName(name: NameNumber, target: Buffer, at: number): void {
    this.#names.copyName(name, target, at);
  }

  /** What a name leads to. */
  inodeOf(name: NameNumber): InodeNumber {
    return this.#names.inode(name);
  }
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
  const links = linkedInodes(tree);
  const firstPaths = new Map<InodeNumber, ByteString>();
  yield { path: ROOT_PATH, inode: tree.inode(ROOT), linkOf: undefined };
  const open = [{ path: ROOT_PATH, names: tree.names(ROOT).reverse() }];
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const name = level.names.pop();
    if (name === undefined) {
      open.pop();
      continue;
    }
    const number = tree.inodeOf(name);
    const path = joinPath(level.path, tree.name(name));
    yield { path, inode: tree.inode(number), linkOf: firstPaths.get(number) };
    if (tree.isDirectory(number)) open.push({ path, names: tree.names(number).reverse() });
    else if (links.has(number) && !firstPaths.has(number)) firstPaths.set(number, path);
  }
}

/** The inodes that have more than one name. */
function linkedInodes(tree: Tree): ReadonlySet<InodeNumber> {
  const seen = new Uint8Array(tree.inodeCount);
  const linked = new Set<InodeNumber>();
  const open: InodeNumber[] = [ROOT];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const name of tree.names(directory)) {
      const inode = tree.inodeOf(name);
      if (tree.isDirectory(inode)) open.push(inode);
      else if (seen[inode] === 1) linked.add(inode);
      else seen[inode] = 1;
    }
  }
  return linked;
}
