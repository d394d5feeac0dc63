// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { applyLayer } from '../layer/apply-layer.ts';
import type { ContentSources } from '../checkout/content-sources.ts';
import { Tree } from '../tree/tree.ts';

/** The tree that layers make, bottom to top. @throws LayerError, StoreError */
export function mergeLayers(diffIds: readonly Digest[], sources: ContentSources): Tree {
  const layers = diffIds.map((diffId) => sources.layer(diffId));
  // Each entry is at most one inode and one name; directories that no entry names are few. Room that is not used costs no memory.
  const entries = layers.reduce((sum, layer) => sum + layer.entryCount, 0);
  const room = Math.ceil(entries * 1.1) + 64;
  const tree = new Tree({ inodes: room, names: room });
  for (const layer of layers) applyLayer(tree, layer.entries());
  return tree;
}
