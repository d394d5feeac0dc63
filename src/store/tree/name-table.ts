// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import type { ByteString } from '../../base/byte-string.ts';
import type { ByteArena } from './byte-arena.ts';
import { grown } from './grown-array.ts';

/** No inode: a name that was removed. */
const GONE = 0xffffffff;

/**
 * The names in all directories of a tree, found by directory and name, and linked to a list in
 * each directory. A name is one entry, numbered from 1, so that 0 is none. An entry that was
 * removed stays in its list, and comes to life again when its name does.
 */
export class NameTable {
  readonly #arena: ByteArena;
  #directory: Uint32Array;
  #address: Uint32Array;
  #length: Uint16Array;
  #inode: Uint32Array;
  #next: Uint32Array;
  #count = 0;
  /** Open addressing; entries, 0 where free. */
  #slots: Uint32Array;

  constructor(arena: ByteArena, capacity: number) {
    this.#arena = arena;
    this.#directory = new Uint32Array(capacity + 1);
    this.#address = new Uint32Array(capacity + 1);
    this.#length = new Uint16Array(capacity + 1);
    this.#inode = new Uint32Array(capacity + 1);
    this.#next = new Uint32Array(capacity + 1);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(16, capacity * 1.5))));
  }

  /** The entry of `name` in `directory`, living or not; 0 for none. */
  find(directory: number, name: ByteString): number {
    return this.#slots[this.#slotOf(directory, name)] ?? 0;
  }

  /** Makes an entry for a name that has none, in no list yet. */
  add(directory: number, name: ByteString, inode: number): number {
    this.#count += 1;
    const entry = this.#count;
    if (entry >= this.#next.length) this.#growColumns(entry + 1);
    if (entry * 4 > this.#slots.length * 3) this.#growSlots();
    this.#slots[this.#slotOf(directory, name)] = entry;
    this.#directory[entry] = directory;
    this.#address[entry] = this.#arena.put(name);
    this.#length[entry] = name.length;
    this.#inode[entry] = inode;
    return entry;
  }

  /** The entry that comes after `entry` in its list, 0 for none. */
  next(entry: number): number {
    return this.#next[entry] ?? 0;
  }

  setNext(entry: number, next: number): void {
    this.#next[entry] = next;
  }

  isGone(entry: number): boolean {
    return this.#inode[entry] === GONE;
  }

  inode(entry: number): number {
    return this.#inode[entry] ?? 0;
  }

  setInode(entry: number, inode: number): void {
    this.#inode[entry] = inode;
  }

  remove(entry: number): void {
    this.#inode[entry] = GONE;
  }

  name(entry: number): ByteString {
    return this.#arena.text(this.#address[entry] ?? 0, this.#length[entry] ?? 0);
  }

  nameLength(entry: number): number {
    return this.#length[entry] ?? 0;
  }

  copyName(entry: number, target: Buffer, at: number): void {
    this.#arena.copy(this.#address[entry] ?? 0, this.#length[entry] ?? 0, target, at);
  }

  /** Bytewise by name. */
  compare(a: number, b: number): number {
    const [left, right] = [this.#address[a] ?? 0, this.#address[b] ?? 0];
    return this.#arena.compare(left, this.#length[a] ?? 0, right, this.#length[b] ?? 0);
  }

  /** The slot that holds the entry, or the free one where it belongs. */
  #slotOf(directory: number, name: ByteString): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(directory, name) & mask;
    for (let entry = this.#slots[slot] ?? 0; entry !== 0; entry = this.#slots[slot] ?? 0) {
      const isIt =
        this.#directory[entry] === directory &&
        this.#arena.isEqual(this.#address[entry] ?? 0, this.#length[entry] ?? 0, name);
      if (isIt) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #growColumns(count: number): void {
    this.#directory = grown(this.#directory, count);
    this.#address = grown(this.#address, count);
    this.#length = grown(this.#length, count);
    this.#inode = grown(this.#inode, count);
    this.#next = grown(this.#next, count);
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let entry = 1; entry < this.#count; entry += 1) {
      this.#slots[this.#slotOf(this.#directory[entry] ?? 0, this.name(entry))] = entry;
    }
  }
}

/** Of this process: an image must not be able to choose names that all fall into one slot. */
const SEED = randomInt(2 ** 32);

function hashOf(directory: number, name: ByteString): number {
  let hash = Math.imul(directory ^ SEED, 0x9e3779b1);
  for (let n = 0; n < name.length; n += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
