// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { applyLayer } from '../layer/apply-layer.ts';
import type { ContentSources } from '../checkout/content-sources.ts';
import { emptyTree, type Tree } from '../tree/tree.ts';

/** The tree that layers make, bottom to top. @throws LayerError, StoreError */
export function mergeLayers(diffIds: readonly Digest[], sources: ContentSources): Tree {
  const tree = emptyTree();
  for (const diffId of diffIds) applyLayer(tree, sources.layer(diffId).entries());
  return tree;
}
