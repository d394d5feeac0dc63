// SPDX-License-Identifier: Apache-2.0

/** Reads a stream of bytes by count. */
export class SpanReader {
  readonly #chunks: AsyncIterator<Buffer, void, undefined>;
  #rest: Buffer = NO_BYTES;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, as they come. */
  async *take(count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = count; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) throw new Error('the span ended before its end');
        this.#rest = next.value;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  /** The next `count` bytes, in one. */
  async read(count: number): Promise<Buffer> {
    const parts = await Array.fromAsync(this.take(count));
    const [only = NO_BYTES] = parts;
    return parts.length <= 1 ? only : Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for await (const _ of this.take(count));
  }

  /** Gives up what is left, and the connection with it. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

const NO_BYTES = Buffer.alloc(0);
