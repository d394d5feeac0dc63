// SPDX-License-Identifier: Apache-2.0
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Digest } from '../../base/digest.ts';
import type { BeginLayer, ImportThreadData } from './import-messages.ts';
import type { LayerReceiver } from './layer-receiver.ts';
import { RemoteReceiver } from './remote-receiver.ts';

/** A thread that reads archives, hashes files and writes objects for one import. */
export class ImportThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #open = new Set<RemoteReceiver>();

  constructor(data: ImportThreadData) {
    this.#worker = new Worker(new URL('./import-layer-worker.ts', import.meta.url), {
      name: 'sysct-import',
      workerData: data,
    });
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread of the import ended early')));
  }

  /** Begins a layer. Several may be open at once. @param onWritten hears of bytes of objects that were written. */
  receive(layerFile: string, diffId: Digest, onWritten: (bytes: number) => void): LayerReceiver {
    const { port1, port2 } = new MessageChannel();
    const begin: BeginLayer = { layerFile, diffId, port: port2 };
    this.#worker.postMessage(begin, [port2]);
    const receiver = new RemoteReceiver(port1, onWritten, () => this.#open.delete(receiver));
    this.#open.add(receiver);
    return receiver;
  }

  /** Stops it where it is; after that it writes nothing any more, and its files are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    for (const receiver of this.#open) receiver.fail(error);
  }
}
