// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { ImportThread } from './import-thread.ts';
import { LayerIntake } from './layer-intake.ts';
import { type LayerReceiver, LocalReceiver } from './layer-receiver.ts';
import { ObjectStaging } from './object-staging.ts';
import type { Borrowing } from './borrowing.ts';
import type { StagedObjects } from './staged-objects.ts';

/** A blob up to this size is read before a thread would have started. */
const LOCAL_MAX_BYTES = 1024 * 1024;

/** The threads that one import reads its layers on. */
export class LayerThreads implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #objects: StagedObjects;
  readonly #borrowing: Borrowing;
  readonly #local: ObjectStaging;
  #thread: ImportThread | undefined;

  constructor(layout: StoreLayout, objects: StagedObjects, borrowing: Borrowing) {
    this.#layout = layout;
    this.#objects = objects;
    this.#borrowing = borrowing;
    this.#local = new ObjectStaging(layout, objects.directory, borrowing, 'main');
  }

  /** @param blobBytes the size of the compressed blob */
  receive(layerFile: string, diffId: Digest, blobBytes: number): LayerReceiver {
    if (blobBytes <= LOCAL_MAX_BYTES) {
      return new LocalReceiver(new LayerIntake(layerFile, diffId, this.#local), this.#local);
    }
    this.#thread ??= new ImportThread({
      storeDirectory: this.#layout.directory,
      stagingDirectory: this.#objects.directory,
      borrowing: this.#borrowing,
      name: 'thread',
    });
    return this.#thread.receive(layerFile, diffId, (bytes) => this.#objects.noteWritten(bytes));
  }

  /** Ends them, with their memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.[Symbol.asyncDispose]();
    this.#thread = undefined;
  }
}
