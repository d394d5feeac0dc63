// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from 'node:worker_threads';
import type { LayerOrder, LayerOutcome, LayerReport } from './import-messages.ts';
import type { LayerReceiver } from './layer-receiver.ts';
import { decodeThreadError } from './thread-error.ts';

/** Chunks on their way to the thread: enough that it never waits, few enough that memory stays small. */
const WINDOW_CHUNKS = 3;

/** The main thread's end of a layer that another thread reads. */
export class RemoteReceiver implements LayerReceiver {
  readonly #port: MessagePort;
  readonly #onWritten: (bytes: number) => void;
  readonly #onClosed: () => void;
  readonly #failed = new AbortController();
  #onWay = 0;
  #hasEnded = false;
  #outcome: LayerOutcome | undefined;
  #wake: () => void = () => {};

  constructor(port: MessagePort, onWritten: (bytes: number) => void, onClosed: () => void) {
    this.#port = port;
    this.#onWritten = onWritten;
    this.#onClosed = onClosed;
    port.on('message', (report: LayerReport) => this.#hear(report));
  }

  get failure(): AbortSignal {
    return this.#failed.signal;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.failure.throwIfAborted();
    this.#onWay += 1;
    this.#send({ kind: 'chunk', bytes: chunk }, [chunk.buffer]);
    await this.#until(() => this.#onWay < WINDOW_CHUNKS);
  }

  async settle(): Promise<void> {
    await this.#until(() => this.#onWay === 0);
  }

  async end(): Promise<void> {
    this.#send({ kind: 'end' });
    await this.#until(() => this.#hasEnded);
  }

  async finish(): Promise<LayerOutcome> {
    this.#send({ kind: 'finish' });
    await this.#until(() => this.#outcome !== undefined);
    if (this.#outcome === undefined) throw new Error('the layer is not finished');
    return this.#outcome;
  }

  /** The thread is gone, or can do no more for this layer. The first failure counts. */
  fail(error: Error): void {
    this.#failed.abort(error);
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.#port.close();
    this.#onClosed();
  }

  #send(order: LayerOrder, transferred: ArrayBuffer[] = []): void {
    this.#port.postMessage(order, transferred);
  }

  #hear(report: LayerReport): void {
    switch (report.kind) {
      case 'taken':
        this.#onWay -= 1;
        this.#onWritten(report.writtenBytes);
        break;
      case 'ended':
        this.#hasEnded = true;
        break;
      case 'finished':
        this.#outcome = report.outcome;
        break;
      case 'failed':
        this.fail(decodeThreadError(report.error));
    }
    this.#wake();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      this.failure.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.failure.throwIfAborted();
  }
}
