// SPDX-License-Identifier: Apache-2.0
import { applyLayer } from '../layer/apply-layer.ts';
import type { ContentSources } from '../checkout/content-sources.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import { StoreError } from '../disk/store-error.ts';
import type { StoredLayer } from '../layer/stored-layer.ts';
import { Tree } from '../tree/tree.ts';

/**
 * The tree that layers make, bottom to top.
 * @throws LayerError; StoreError DIFF_ID_MISMATCH where a layer has another proof than it should have, …
 */
export function mergeLayers(identities: readonly LayerIdentity[], sources: ContentSources): Tree {
  const layers = identities.map((identity) => provedLayer(identity, sources));
  // Each entry is at most one inode and one name; directories that no entry names are few. Room that is not used costs no memory.
  const entries = layers.reduce((sum, layer) => sum + layer.entryCount, 0);
  const room = Math.ceil(entries * 1.1) + 64;
  const tree = new Tree({ inodes: room, names: room });
  for (const layer of layers) applyLayer(tree, layer.entries());
  return tree;
}

// An image that claims as its diffID what another layer is called in the store comes to no other end than this.
function provedLayer({ key, proof }: LayerIdentity, sources: ContentSources): StoredLayer {
  const layer = sources.layer(key);
  if (layer.proof === proof) return layer;
  throw new StoreError(
    'DIFF_ID_MISMATCH',
    `merging layer ${key}: it is known by ${layer.proof === 'toc' ? 'a table of contents' : 'its diffID'} only`,
    { hint: 'the image is inconsistent: have it built or pushed again' },
  );
}
