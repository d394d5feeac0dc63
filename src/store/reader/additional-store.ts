// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { ContentSources } from '../checkout/content-sources.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { readLayerProof } from '../layer/read-layer-proof.ts';
import { nameOf } from '../ref/image-name.ts';
import type { RefRecord } from '../ref/ref-record.ts';
import { digestAt } from '../tree/tree-needs.ts';
import { missingObject } from './missing-object.ts';
import { StoreReader } from './store-reader.ts';
import { VerifiedSources } from './verified-sources.ts';

/**
 * A store that somebody else writes: a vendor's in `/usr`, or one on a file server. It is only ever
 * read, without a lock; who writes it may collect garbage meanwhile.
 */
export class AdditionalStore extends StoreReader {
  /** As the settings name it, and units must: for an offline root, the path inside it. */
  readonly hostPath: string;

  constructor(hostPath: string, layout: StoreLayout, log: Log) {
    super(layout, log);
    this.hostPath = hostPath;
  }

  /** As the store lists them; none, and a warning, where that fails. */
  override listRefs(): RefRecord[] {
    try {
      return super.listRefs();
    } catch (error) {
      this.warn(messageOf(storeFailure('reading its images', error)));
      return [];
    }
  }

  /**
   * True when all of the image is here and can be read; it is warned of one that is not. Asks for the names of the objects, shard by
   * shard: a question for each of ten thousand objects takes a file server seconds.
   */
  override holdsImage(record: RefRecord): boolean {
    try {
      const { objects, layers } = this.readTreeNeeds(record.treeId);
      using sources = super.contentSources();
      for (const layer of layers) sources.layer(layer).entries();
      const missing = missingObject(this.layout, objects);
      if (missing !== undefined) {
        throw new StoreError('NOT_IN_STORE', `object ${missing} is not there`);
      }
      if (objects.length > 0) {
        accessSync(this.layout.object(digestAt(objects, 0)), constants.R_OK);
      }
      return true;
    } catch (error) {
      const failure = storeFailure('reading it', error);
      if (!(failure instanceof StoreError)) throw error;
      this.warn(`${nameOf(record)} is not whole: ${failure.message}`);
      return false;
    }
  }

  /** True when `text` means an image, or several, of this store. */
  knowsImage(text: string): boolean {
    try {
      this.findImage(text);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return error.code === 'AMBIGUOUS_IMAGE';
    }
  }

  /** True when there is a layer of that name and proof; whether it is whole shows when it is read. */
  mayHaveLayer({ key, proof }: LayerIdentity): boolean {
    try {
      return readLayerProof(this.layout.layer(key)) === proof;
    } catch {
      // Copying it says what is wrong.
      return true;
    }
  }

  /** Objects that are copied from it are checked on the way. */
  override contentSources(): ContentSources {
    return new VerifiedSources(this.layout);
  }

  override warn(reason: string): void {
    this.log.warn(`additional store ${quote(this.hostPath)}: ${reason}; it is left out`);
  }
}
