// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';

const PAGE_BYTES = 64 * 1024;

/** The longest text that an arena takes. */
export const MAX_ARENA_TEXT = PAGE_BYTES;

/** Names and link targets, back to back: each is an address and a length. Nothing is ever moved or freed. */
export class ByteArena {
  readonly #pages: Buffer[] = [];
  #page = Buffer.alloc(0);
  #used = 0;

  /** Keeps `text`, of at most {@link MAX_ARENA_TEXT} bytes. @returns its address, below 2^32. */
  put(text: ByteString): number {
    if (text.length > this.#page.length - this.#used) {
      if (text.length > PAGE_BYTES) throw new RangeError(`a text of ${text.length} bytes`);
      this.#page = Buffer.allocUnsafeSlow(PAGE_BYTES);
      this.#pages.push(this.#page);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += this.#page.write(text, at, 'latin1');
    return (this.#pages.length - 1) * PAGE_BYTES + at;
  }

  text(address: number, length: number): ByteString {
    const at = address % PAGE_BYTES;
    return this.#pageOf(address).toString('latin1', at, at + length) as ByteString;
  }

  /** Copies a text to `at` of `target`. */
  copy(address: number, length: number, target: Buffer, at: number): void {
    const from = address % PAGE_BYTES;
    this.#pageOf(address).copy(target, at, from, from + length);
  }

  isEqual(address: number, length: number, text: ByteString): boolean {
    if (length !== text.length) return false;
    const page = this.#pageOf(address);
    const at = address % PAGE_BYTES;
    for (let n = 0; n < length; n += 1) if (page[at + n] !== text.charCodeAt(n)) return false;
    return true;
  }

  /** Bytewise: negative, zero, or positive. */
  compare(a: number, aLength: number, b: number, bLength: number): number {
    const left = this.#pageOf(a);
    const right = this.#pageOf(b);
    const [leftAt, rightAt] = [a % PAGE_BYTES, b % PAGE_BYTES];
    const most = Math.min(aLength, bLength);
    for (let n = 0; n < most; n += 1) {
      const difference = (left[leftAt + n] ?? 0) - (right[rightAt + n] ?? 0);
      if (difference !== 0) return difference;
    }
    return aLength - bLength;
  }

  #pageOf(address: number): Buffer {
    return this.#pages[Math.floor(address / PAGE_BYTES)] ?? NO_PAGE;
  }
}

const NO_PAGE = Buffer.alloc(0);
