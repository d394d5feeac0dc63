// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { redactUrl } from '../../base/printable.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryTiming } from './timing.ts';

const MIB = 1024 * 1024;

/** A body is read ahead of its reader by this much; then the connection waits. */
const READ_AHEAD_BYTES = 2 * MIB;

/** Shorter chunks are collected (TLS brings 16 KiB at a time), but not for longer than a progress bar can wait. */
const SHORT_CHUNK_BYTES = 64 * 1024;
const COLLECT_MS = 200;

/** Longer chunks save nothing, shorter ones cost a turn of the event loop each. */
const CHUNK_BYTES = MIB;

/** What reading a body that nobody wants may cost; a new connection costs about as much. */
const DRAIN_BYTES = 64 * 1024;
const DRAIN_MS = 1000;

/**
 * The body of one answer. What came while the reader was busy is handed over in one chunk (at most
 * 1 MiB). Fails when bytes come too slowly over {@link RegistryTiming.stallMs}; time in which the
 * reader was busy does not count.
 */
export class BodyReader implements AsyncIterable<Buffer> {
  /** Called once, when nothing more can come. */
  onEnd: () => void = () => {};
  readonly #url: URL;
  readonly #timing: RegistryTiming;
  #controller: Dispatcher.DispatchController | undefined;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #failure: unknown;
  #wake: () => void = () => {};
  #waitingSinceMs = 0;
  #windowBytes = 0;
  #windowWaitedMs = 0;

  constructor(url: URL, timing: RegistryTiming) {
    this.#url = url;
    this.#timing = timing;
  }

  /** For the transport: the request has a connection. */
  attach(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === 'failed') controller.abort(asError(this.#failure));
  }

  /** For the transport: bytes came. */
  push(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#queuedBytes += chunk.length;
    this.#windowBytes += chunk.length;
    this.#queue.push(chunk);
    if (this.#queuedBytes >= READ_AHEAD_BYTES) this.#controller?.pause();
    const waitedMs = performance.now() - this.#waitingSinceMs;
    if (this.#queuedBytes >= SHORT_CHUNK_BYTES || waitedMs > COLLECT_MS) this.#wake();
  }

  /** For the transport: the body is complete. */
  end(): void {
    if (this.#state === 'open') this.#finish('ended');
  }

  /** Ends the body with an error and closes its connection; what came before is still handed over. */
  fail(failure: unknown): void {
    if (this.#state !== 'open') return;
    this.#failure = failure;
    this.#finish('failed');
    this.#controller?.abort(asError(failure));
  }

  /** Gives up what is left of the body, and its connection with it. */
  close(): void {
    this.fail(new Error('the body is not wanted'));
  }

  /** Reads what is left of a short body and forgets it, so that its connection is free for the next request. */
  async drain(): Promise<void> {
    try {
      await this.readAll(DRAIN_BYTES, DRAIN_MS);
      // undici takes the connection back a turn of the event loop after the body's end.
      await setImmediate();
    } catch (error) {
      // Too long or too slow to be worth it: the connection was closed instead.
      if (!(error instanceof RegistryError)) throw error;
    }
  }

  /** Leaving the loop before the end closes the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        if (this.#state === 'open' && this.#queuedBytes < SHORT_CHUNK_BYTES) await this.#wait();
        const chunk = this.#take();
        if (chunk !== undefined) yield chunk;
        else if (this.#state !== 'open') break;
      }
      if (this.#state === 'failed') throw this.#failure;
    } finally {
      this.close();
    }
  }

  /**
   * The whole body.
   * @throws RegistryError TOO_LARGE above `maxBytes`, TIMEOUT when it takes longer than `timeoutMs`.
   */
  async readAll(maxBytes: number, timeoutMs: number): Promise<Buffer> {
    const timer = setTimeout(
      () => this.fail(this.#timeout('the answer is not complete in time')),
      timeoutMs,
    );
    try {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of this) {
        length += chunk.length;
        if (length > maxBytes) {
          throw new RegistryError(
            'TOO_LARGE',
            `${redactUrl(this.#url)}: the answer is longer than ${maxBytes} bytes`,
          );
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, length);
    } finally {
      clearTimeout(timer);
    }
  }

  #take(): Buffer | undefined {
    const first = this.#queue[0];
    if (first === undefined) return undefined;
    let count = 1;
    let length = first.length;
    for (let next = this.#queue[count]; next !== undefined; next = this.#queue[count]) {
      if (length + next.length > CHUNK_BYTES) break;
      length += next.length;
      count += 1;
    }
    const taken = this.#queue.splice(0, count);
    this.#queuedBytes -= length;
    if (this.#queuedBytes < READ_AHEAD_BYTES / 2) this.#controller?.resume();
    return count === 1 ? first : Buffer.concat(taken, length);
  }

  async #wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waitingSinceMs = performance.now();
    this.#wake = resolve;
    await promise;
    this.#wake = () => {};
    this.#windowWaitedMs += performance.now() - this.#waitingSinceMs;
    const { stallMs, slowestBytesPerSecond } = this.#timing;
    if (this.#windowWaitedMs < stallMs) return;
    if ((this.#windowBytes * 1000) / this.#windowWaitedMs < slowestBytesPerSecond) {
      this.fail(this.#timeout('the body comes too slowly'));
    }
    this.#windowBytes = 0;
    this.#windowWaitedMs = 0;
  }

  #finish(state: 'ended' | 'failed'): void {
    this.#state = state;
    this.onEnd();
    this.#wake();
  }

  #timeout(seen: string): RegistryError {
    return new RegistryError('TIMEOUT', `${redactUrl(this.#url)}: ${seen}`, { transient: true });
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
