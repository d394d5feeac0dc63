// SPDX-License-Identifier: Apache-2.0

const LEAST_SLOTS = 1024;

/**
 * Distinct digests, numbered from 0 in the order of their arrival: some 15 bytes each, where a Set of
 * strings takes 150. Only the first eight bytes of a digest are kept. Two digests that share them
 * (one pair in a store of a hundred million objects, with a chance of one in three thousand) count as
 * one, so a collector that asks "is it needed?" may keep a file too many, never one too few.
 */
export class DigestTable {
  /** Number of the digest plus one, by hash; 0 is free. */
  #slots: Uint32Array;
  #high: Uint32Array;
  #low: Uint32Array;
  #size = 0;

  /** @param expected about how many there will be. */
  constructor(expected: number) {
    let slots = LEAST_SLOTS;
    while (slots * MOST_LOAD < expected) slots *= 2;
    this.#slots = new Uint32Array(slots);
    this.#high = new Uint32Array(Math.max(expected, LEAST_SLOTS));
    this.#low = new Uint32Array(this.#high.length);
  }

  get size(): number {
    return this.#size;
  }

  /** The number of the 32 bytes at `offset`, which are put in if they are new. */
  add(bytes: Buffer, offset: number): number {
    const high = bytes.readUInt32LE(offset);
    const low = bytes.readUInt32LE(offset + 4);
    const slot = this.#slotOf(high, low);
    const found = this.#slots[slot] ?? 0;
    if (found > 0) return found - 1;
    if (this.#size === this.#high.length) this.#growDigests();
    this.#high[this.#size] = high;
    this.#low[this.#size] = low;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    if (this.#size > this.#slots.length * MOST_LOAD) this.#growSlots();
    return this.#size - 1;
  }

  /** The number of the 32 bytes at `offset`; -1 when they are not here. */
  find(bytes: Buffer, offset: number): number {
    const slot = this.#slotOf(bytes.readUInt32LE(offset), bytes.readUInt32LE(offset + 4));
    return (this.#slots[slot] ?? 0) - 1;
  }

  /** Where the digest is, or would go. */
  #slotOf(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] ?? 0) - 1;
      if (number < 0 || (this.#high[number] === high && this.#low[number] === low)) return slot;
    }
  }

  #growDigests(): void {
    const room = Math.ceil(this.#size * 1.5);
    const [high, low] = [new Uint32Array(room), new Uint32Array(room)];
    high.set(this.#high);
    low.set(this.#low);
    this.#high = high;
    this.#low = low;
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#size; number += 1) {
      const slot = this.#slotOf(this.#high[number] ?? 0, this.#low[number] ?? 0);
      this.#slots[slot] = number + 1;
    }
  }
}

const MOST_LOAD = 0.75;
