// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import { storeFailure } from '../disk/store-failure.ts';
import type { AdditionalStore } from '../reader/additional-store.ts';
import { copyLayer, CopySourceError } from './copy-layer.ts';
import { importTocLayer, type TocLayerImport } from './import-toc-layer.ts';
import type { ObjectStaging } from './object-staging.ts';
import type { StagedObjects } from './staged-objects.ts';

/** What a copy that is cut short may have to do again. */
const CHECKPOINT_BYTES = 128 * 1024 * 1024;

export interface DirectLayersParts {
  /** Of the main thread alone. */
  readonly staging: ObjectStaging;
  /** Of the whole import. */
  readonly objects: StagedObjects;
  /** Gives objects their names before the commit; undefined where the import may count on nothing that has one. */
  readonly publish: ((objects: readonly Digest[]) => Promise<void>) | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * The layers of one import that are not read from an archive: those copied from another store, and those made of
 * a table of contents. On the main thread, since there is little to hash and nothing to inflate.
 */
export class DirectLayers {
  readonly #parts: DirectLayersParts;
  #copiedBytes = 0;

  constructor(parts: DirectLayersParts) {
    this.#parts = parts;
  }

  /** @throws CopySourceError, StoreError */
  async copy(layer: LayerIdentity, from: AdditionalStore, layerFile: string): Promise<void> {
    const { staging, objects, log, signal } = this.#parts;
    const onCopied = (): Promise<void> => this.#checkpoint();
    try {
      await copyLayer(layer, from, { staging, layerFile, onCopied, signal });
      log.debug(`copied layer ${layer.key} from ${from.hostPath}`);
    } catch (error) {
      if (error instanceof CopySourceError) throw error;
      throw storeFailure(`copying layer ${layer.key}`, error);
    } finally {
      objects.add(staging.takeNews());
    }
  }

  /** @throws as {@link importTocLayer} */
  async make(layer: TocLayerImport, layerFile: string): Promise<void> {
    const { staging, objects, log, signal } = this.#parts;
    const onWritten = (): void => objects.noteWritten(staging.takeWrittenBytes());
    try {
      await importTocLayer(layer, { layerFile, staging, onWritten, log, signal });
    } finally {
      objects.add(staging.takeNews());
    }
  }

  /** Now and then, so that a copy that is cut short goes on from there. */
  async #checkpoint(): Promise<void> {
    const { staging, objects, publish } = this.#parts;
    const written = staging.takeWrittenBytes();
    objects.noteWritten(written);
    this.#copiedBytes += written;
    if (this.#copiedBytes < CHECKPOINT_BYTES || publish === undefined) return;
    this.#copiedBytes = 0;
    const { staged, reused } = staging.takeNews();
    objects.add({ staged, reused });
    await publish(staged);
  }
}
