// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestHex } from '../../base/digest.ts';
import { DIGEST_BYTES } from './byte-writer.ts';
import { giveBack } from './give-back.ts';

const LEAST_DIGESTS = 512;

/** A set of digests, whole, in the order of their arrival: some 42 bytes each, where a Set of strings takes 150. */
export class DigestSet implements Iterable<Digest> {
  /** Back to back, those that were taken out included. */
  #digests = Buffer.alloc(LEAST_DIGESTS * DIGEST_BYTES);
  #isOut = new Uint8Array(LEAST_DIGESTS);
  /** Number of the digest plus one, by its first bytes, which are as good as random; 0 is free. */
  #slots = new Uint32Array(LEAST_DIGESTS * 2);
  #count = 0;
  readonly #wanted = Buffer.alloc(DIGEST_BYTES);

  has(digest: Digest): boolean {
    return this.numberOf(digest) !== undefined;
  }

  /** The number it got when it came: they count from 0. */
  numberOf(digest: Digest): number | undefined {
    const number = this.#find(digest);
    return number === undefined || this.#isOut[number] !== 0 ? undefined : number;
  }

  /** @returns its number */
  add(digest: Digest): number {
    const known = this.#find(digest);
    if (known !== undefined) {
      this.#isOut[known] = 0;
      return known;
    }
    if (this.#count === this.#isOut.length) this.#grow();
    const number = this.#count;
    this.#wanted.copy(this.#digests, number * DIGEST_BYTES);
    this.#count += 1;
    this.#slots[this.#slotOf(this.#wanted, 0)] = this.#count;
    return number;
  }

  /** False when it was not in the set. */
  delete(digest: Digest): boolean {
    const number = this.#find(digest);
    if (number === undefined || this.#isOut[number] !== 0) return false;
    this.#isOut[number] = 1;
    return true;
  }

  *[Symbol.iterator](): Generator<Digest, void, undefined> {
    for (let number = 0; number < this.#count; number += 1) {
      if (this.#isOut[number] !== 0) continue;
      const at = number * DIGEST_BYTES;
      yield `sha256:${this.#digests.toString('hex', at, at + DIGEST_BYTES)}` as Digest;
    }
  }

  /** Its number, whether it is in or was taken out. Leaves the digest's bytes in `#wanted`. */
  #find(digest: Digest): number | undefined {
    this.#wanted.write(digestHex(digest), 'hex');
    const entry = this.#slots[this.#slotOf(this.#wanted, 0)] ?? 0;
    return entry === 0 ? undefined : entry - 1;
  }

  /** The slot of the digest at `at` of `bytes`, or the free one where it belongs. */
  #slotOf(bytes: Buffer, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = bytes.readUInt32LE(at) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] ?? 0;
      const from = (entry - 1) * DIGEST_BYTES;
      if (entry === 0) return slot;
      const end = at + DIGEST_BYTES;
      if (this.#digests.compare(bytes, at, end, from, from + DIGEST_BYTES) === 0) return slot;
    }
  }

  #grow(): void {
    const digests = Buffer.alloc(this.#digests.length * 2);
    this.#digests.copy(digests);
    giveBack(this.#digests);
    this.#digests = digests;
    const isOut = new Uint8Array(this.#isOut.length * 2);
    isOut.set(this.#isOut);
    this.#isOut = isOut;
    const slotCount = this.#slots.length * 2;
    giveBack(this.#slots);
    this.#slots = new Uint32Array(slotCount);
    for (let number = 0; number < this.#count; number += 1) {
      this.#slots[this.#slotOf(this.#digests, number * DIGEST_BYTES)] = number + 1;
    }
  }
}
