// SPDX-License-Identifier: Apache-2.0
import { grown } from './grown-array.ts';

/**
 * One whole number of at most 53 bits for each inode, zero until it is set. Most fit in 32 bits: the
 * others' upper halves lie in an array of their own, of which the kernel gives only pages that are written to.
 */
export class NumberColumn {
  #low: Uint32Array;
  #high: Int32Array;

  constructor(capacity: number) {
    this.#low = new Uint32Array(capacity);
    this.#high = new Int32Array(capacity);
  }

  get(index: number): number {
    return (this.#high[index] ?? 0) * 2 ** 32 + (this.#low[index] ?? 0);
  }

  set(index: number, value: number): void {
    const high = Math.floor(value / 2 ** 32);
    if (index >= this.#low.length) {
      this.#low = grown(this.#low, index + 1);
      this.#high = grown(this.#high, index + 1);
    }
    this.#low[index] = value - high * 2 ** 32;
    if (high !== 0 || this.#high[index] !== 0) this.#high[index] = high;
  }
}
