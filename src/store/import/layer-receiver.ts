// SPDX-License-Identifier: Apache-2.0
import type { LayerOutcome } from './import-messages.ts';
import type { LayerIntake } from './layer-intake.ts';
import type { ObjectStaging } from './object-staging.ts';

/** Where the bytes of one layer's archive go: this thread or another one. */
export interface LayerReceiver extends Disposable {
  /** Aborted, with the error as its reason, when what was written cannot be used. */
  readonly failure: AbortSignal;
  /** Takes the next bytes and all of their memory; resolves when there is room for more. @throws the failure */
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Waits until all that was written is looked at. @throws the failure */
  settle(): Promise<void>;
  /** Says that the archive is complete. @throws the failure: ArchiveError TRUNCATED */
  end(): Promise<void>;
  /** Completes the layer file, once the bytes are known to be right. @throws the failure */
  finish(): Promise<LayerOutcome>;
}

/** Reads a layer on this thread: what a small one costs less than a thread. */
export class LocalReceiver implements LayerReceiver {
  readonly failure = new AbortController().signal;
  readonly #intake: LayerIntake;
  readonly #staging: ObjectStaging;

  constructor(intake: LayerIntake, staging: ObjectStaging) {
    this.#intake = intake;
    this.#staging = staging;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    await Promise.resolve(this.#intake.write(chunk));
  }

  async settle(): Promise<void> {}

  async end(): Promise<void> {
    await Promise.resolve(this.#intake.end());
  }

  async finish(): Promise<LayerOutcome> {
    const droppedXattrs = this.#intake.finish();
    return await Promise.resolve({ objects: this.#staging.takeNews(), droppedXattrs });
  }

  [Symbol.dispose](): void {
    this.#intake[Symbol.dispose]();
  }
}
