// SPDX-License-Identifier: Apache-2.0
import { constants, copyFileSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import type { ErofsSources } from '../erofs/erofs-sources.ts';
import type { InlineContent, ObjectContent } from '../tree/inode.ts';
import { INLINE_MAX_BYTES } from '../layer/inline-limit.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import type { PlainTreeSources } from './plain-tree.ts';
import type { Seals } from './sealer.ts';
import { StoreError } from '../disk/store-error.ts';
import { StoredLayer } from '../layer/stored-layer.ts';

/** Where the bytes of a tree's files are. Keeps layer files open until disposed. */
export class ContentSources implements ErofsSources, PlainTreeSources, Disposable {
  readonly #layout: StoreLayout;
  readonly #layerFile: (layer: LayerKey) => string;
  readonly #scratch = Buffer.allocUnsafe(INLINE_MAX_BYTES);
  readonly #open = new Map<LayerKey, StoredLayer>();
  /** Without one, writers of images take a shorter way. */
  verityDigest?: (content: ObjectContent) => Uint8Array | undefined;

  /** @param layerFile the path of a layer's file, where it is not the usual one. */
  constructor(
    layout: StoreLayout,
    layerFile: (layer: LayerKey) => string = (layer) => layout.layer(layer),
  ) {
    this.#layout = layout;
    this.#layerFile = layerFile;
  }

  /** The bytes are there until the next call. @throws StoreError NOT_IN_STORE, STORE_DAMAGED */
  readInline(content: InlineContent): Buffer {
    return this.layer(content.layer).readInline(content, this.#scratch);
  }

  /** Images that are written from here on name these digests. */
  useSeals(seals: Seals | undefined): void {
    if (seals !== undefined) this.verityDigest = (content) => seals.get(content.digest);
  }

  /** By reflink where that works. */
  copyObject(content: ObjectContent, to: Buffer): void {
    copyFileSync(
      this.objectPath(content),
      to,
      constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
    );
  }

  protected objectPath(content: ObjectContent): string {
    return this.#layout.object(content.digest);
  }

  /** An open layer file, closed with this. @throws StoreError NOT_IN_STORE */
  layer(key: LayerKey): StoredLayer {
    const open = this.#open.get(key) ?? openLayer(this.#layerFile(key), key);
    this.#open.set(key, open);
    return open;
  }

  [Symbol.dispose](): void {
    for (const layer of this.#open.values()) layer[Symbol.dispose]();
    this.#open.clear();
  }
}

function openLayer(path: string, key: LayerKey): StoredLayer {
  try {
    return new StoredLayer(path, key);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause;
    throw new StoreError('NOT_IN_STORE', `reading layer ${key}: the store has no such layer`, {
      cause,
      hint: 'pull the image again',
    });
  }
}
