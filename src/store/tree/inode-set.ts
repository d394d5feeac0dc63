// SPDX-License-Identifier: Apache-2.0
import type { Inode } from './inode.ts';

/** A set of inodes that is cheap as long as nobody asks: adding to a list takes a tenth of adding to a Set. */
export class InodeSet {
  #waiting: Inode[] = [];
  readonly #inodes = new Set<Inode>();

  add(inode: Inode): void {
    this.#waiting.push(inode);
  }

  has(inode: Inode): boolean {
    for (const waiting of this.#waiting) this.#inodes.add(waiting);
    this.#waiting = [];
    return this.#inodes.has(inode);
  }
}
