// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';

const BUFFER_BYTES = 1 << 20;

/** Writes to a descriptor front to back through one buffer, so that an image of any size needs the same memory. */
export class ImageSink {
  /** Zero beyond what has been put. */
  readonly buffer = Buffer.alloc(BUFFER_BYTES);
  readonly #fd: number;
  #used = 0;
  #flushed = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Bytes put so far. */
  get position(): number {
    return this.#flushed + this.#used;
  }

  /** Puts `count` (at most 64 Ki) zeros and returns where in `buffer` they are, to be filled in before the next call. */
  reserve(count: number): number {
    if (this.#used + count > BUFFER_BYTES) this.flush();
    this.#used += count;
    return this.#used - count;
  }

  /** Text of one byte a character. */
  putText(text: string): void {
    if (this.#used + text.length > BUFFER_BYTES) this.flush();
    this.#used += this.buffer.write(text, this.#used, 'latin1');
  }

  /** The bytes from `start` up to `end` or where they stop. */
  putBytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const stop = Math.min(end, bytes.length);
    // Most are whole small files: a view of each would cost more than copying it.
    const isWhole = start === 0 && stop === bytes.length;
    if (isWhole && this.#used + stop <= BUFFER_BYTES) {
      this.buffer.set(bytes, this.#used);
      this.#used += stop;
      return;
    }
    for (let offset = start; offset < stop;) {
      if (this.#used === BUFFER_BYTES) this.flush();
      const room = BUFFER_BYTES - this.#used;
      const part = bytes.subarray(offset, Math.min(stop, offset + room));
      this.buffer.set(part, this.#used);
      this.#used += part.length;
      offset += part.length;
    }
  }

  /** Zeros up to `position`, which is not behind. */
  padTo(position: number): void {
    for (let left = position - this.position; left > 0;) {
      const count = Math.min(left, BUFFER_BYTES - this.#used);
      if (count === 0) this.flush();
      this.#used += count;
      left -= count;
    }
  }

  flush(): void {
    for (let offset = 0; offset < this.#used;) {
      offset += writeSync(this.#fd, this.buffer, offset, this.#used - offset);
    }
    this.buffer.fill(0, 0, this.#used);
    this.#flushed += this.#used;
    this.#used = 0;
  }
}
