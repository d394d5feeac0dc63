// SPDX-License-Identifier: Apache-2.0

/**
 * Gathers a run of bytes that may span chunks. Where it lies in one chunk it is looked at in place:
 * only one that is cut by a chunk's end is copied.
 */
export class Piece {
  /** Holds the bytes from `start` once `take` has said that the piece is whole. */
  buffer: Buffer = NO_BYTES;
  start = 0;
  isWhole = false;
  #kept: Buffer | undefined;
  #keptBytes = 0;

  /** True while part of a piece is held. */
  get isBegun(): boolean {
    return this.#kept !== undefined;
  }

  /** Takes what `chunk` has from `at` of a piece of `length` bytes; returns how many bytes that was. */
  take(chunk: Buffer, at: number, length: number): number {
    if (this.#kept === undefined && chunk.length - at >= length) {
      this.buffer = chunk;
      this.start = at;
      this.isWhole = true;
      return length;
    }
    this.#kept ??= Buffer.allocUnsafe(length);
    const used = chunk.copy(this.#kept, this.#keptBytes, at, at + length - this.#keptBytes);
    this.#keptBytes += used;
    if (this.#keptBytes === length) {
      this.buffer = this.#kept;
      this.start = 0;
      this.isWhole = true;
    }
    return used;
  }

  /** Makes ready for the next piece. */
  clear(): void {
    this.buffer = NO_BYTES;
    this.isWhole = false;
    this.#kept = undefined;
    this.#keptBytes = 0;
  }
}

const NO_BYTES = Buffer.alloc(0);
