// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';

/** The layer files that one import brings: in a directory of its own until {@link publish}. */
export class StagedLayers {
  readonly #layout: StoreLayout;
  readonly #directory: string;
  readonly #made = new Map<LayerKey, Promise<void>>();

  /** @param directory which must not exist, on the store's file system. */
  constructor(layout: StoreLayout, directory: string) {
    this.#layout = layout;
    this.#directory = directory;
    mkdirSync(directory, { mode: 0o700 });
  }

  /** Makes a layer, or waits for it where that was begun already. One that could not be made may be tried again. */
  async once(key: LayerKey, make: () => Promise<void>): Promise<void> {
    const making = this.#made.get(key) ?? make();
    this.#made.set(key, making);
    try {
      await making;
    } catch (error) {
      if (this.#made.get(key) === making) this.#made.delete(key);
      throw error;
    }
  }

  /** Waits for all of them. @throws what making one of them met */
  async complete(): Promise<void> {
    await Promise.all(this.#made.values());
  }

  /** Waits for all, however they end. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#made.values());
  }

  /** Where the file of a layer goes. */
  place(key: LayerKey): string {
    return join(this.#directory, digestHex(key));
  }

  /** The file of a layer that was made here; undefined for others. */
  pathOf(key: LayerKey): string | undefined {
    return this.#made.has(key) ? this.place(key) : undefined;
  }

  /** Renames all to their places. They must be durable, and the store's lock held. */
  publish(): void {
    for (const key of this.#made.keys()) renameSync(this.place(key), this.#layout.layer(key));
  }
}
