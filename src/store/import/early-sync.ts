// SPDX-License-Identifier: Apache-2.0
import { syncFileSystem } from '../../sys/durable-file.ts';

/** Enough that a sync is worth its journal commit, little enough that the last one has not much left to do. */
const STEP_BYTES = 256 * 1024 * 1024;

/**
 * Has the disk write while the import still computes: Linux would leave a gigabyte of dirty pages
 * alone until the commit's syncfs, and let that wait for all of it.
 */
export class EarlySync {
  readonly #directory: string;
  #unsyncedBytes = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Says that so many bytes were written; starts a sync when there are enough, one at a time. */
  note(bytes: number): void {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes >= STEP_BYTES) this.start();
  }

  /** Starts a sync, unless one is running. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#unsyncedBytes = 0;
    this.#running = syncFileSystem(this.#directory).then(
      () => {
        this.#running = undefined;
      },
      (error: unknown) => {
        // The kernel tells a failed write to one syncfs only: the later ones would say that all is well.
        this.#failure ??= { error };
        this.#running = undefined;
      },
    );
  }

  /** Waits for a running sync. Throws what any of them met. */
  async settle(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
