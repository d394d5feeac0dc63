// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { StoredLayer } from '../layer/stored-layer.ts';
import { readTreeNeeds } from '../tree/tree-needs.ts';

/** An image by what it is made of. */
export interface ListedImage {
  readonly treeId: Digest;
  /** Layers that are needed with all their objects, be they hidden in the tree or not. */
  readonly layers: readonly LayerKey[];
  readonly blobs: readonly Digest[];
}

/** Receives what an image needs; what it needs twice may come twice. */
export interface NeedsVisitor {
  /** The 32 bytes at `at`. */
  readonly object: (bytes: Buffer, at: number) => void;
  readonly layer: (key: LayerKey) => void;
}

/** Visits the objects and layers that an image needs. What is missing or damaged has no list, and is passed over. */
export function visitNeeds(layout: StoreLayout, image: ListedImage, visitor: NeedsVisitor): void {
  const { treeId } = image;
  const needs = whereThere(() => readTreeNeeds(layout.tree(treeId), treeId));
  const objects = needs?.objects ?? Buffer.alloc(0);
  for (let at = 0; at < objects.length; at += DIGEST_BYTES) visitor.object(objects, at);
  for (const key of needs?.layers ?? []) visitor.layer(key);
  for (const key of image.layers) {
    visitor.layer(key);
    whereThere(() => {
      using layer = new StoredLayer(layout.layer(key), key);
      for (const { digest } of layer.objects()) visitor.object(digest, 0);
    });
  }
}

function whereThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}
