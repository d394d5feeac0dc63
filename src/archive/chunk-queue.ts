// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';

/**
 * A few chunks between a stream and its consumer, in order and uncopied. Node's streams either hand
 * a chunk to the consumer before they ask for the next one, or join the waiting ones by copying.
 */
export class ChunkQueue {
  readonly #stream: Readable;
  readonly #depth: number;
  readonly #chunks: Buffer[] = [];
  #state: 'open' | 'ended' | 'failed' = 'open';
  #error: unknown;
  #wake: () => void = () => {};

  /** Starts to read `stream`; holds at most `depth` chunks before it pauses it. Its errors are the caller's to pass to `fail`. */
  constructor(stream: Readable, depth: number) {
    this.#stream = stream;
    this.#depth = depth;
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      if (this.#chunks.length >= depth) stream.pause();
      this.#wake();
    });
    stream.on('end', () => this.#settle('ended'));
  }

  /** Makes `next` throw `error`, ahead of chunks that wait; the first failure counts. */
  fail(error: unknown): void {
    if (this.#state === 'open') this.#error = error;
    this.#settle('failed');
  }

  /** @returns undefined after the last chunk. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#state === 'failed') throw this.#error;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        if (this.#chunks.length < this.#depth) this.#stream.resume();
        return chunk;
      }
      if (this.#state === 'ended') return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #settle(state: 'ended' | 'failed'): void {
    if (this.#state === 'open') this.#state = state;
    this.#wake();
  }
}
