// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import type { Marker } from './marker.ts';
import type { Sweep } from './sweep.ts';

/** The digests of candidates, asked for when their turn comes. */
export interface MetadataCandidates {
  readonly trees: () => readonly Digest[];
  readonly images: () => readonly Digest[];
  readonly layers: () => readonly LayerKey[];
  readonly blobs: () => readonly Digest[];
}

/** What is not an object, in the order in which it has to go: what names comes before what is named. */
export function* metadataSweeps(
  layout: StoreLayout,
  marker: Marker,
  candidates: MetadataCandidates,
): Generator<Sweep, void, undefined> {
  const update = (): void => marker.updatePresentTrees();
  yield {
    kind: 'trees',
    digests: candidates.trees(),
    path: (digest) => layout.tree(digest),
    isNeeded: (digest) => marker.trees.has(digest),
    update: () => marker.update(),
    directory: layout.trees,
  };
  yield {
    kind: 'images',
    digests: candidates.images(),
    path: (digest) => layout.image(digest),
    isNeeded: (digest) => marker.trees.has(digest),
    update,
    directory: layout.images,
  };
  yield {
    kind: 'layers',
    digests: candidates.layers(),
    path: (digest) => layout.layer(digest as LayerKey),
    isNeeded: (digest) => marker.layers.has(digest as LayerKey),
    update,
    directory: layout.layers,
  };
  yield {
    kind: 'blobs',
    digests: candidates.blobs(),
    path: (digest) => layout.blob(digest),
    isNeeded: (digest) => marker.blobs.has(digest),
    update,
    directory: layout.blobs,
  };
}

/** Objects, after all of {@link metadataSweeps}. */
export function objectSweep(
  layout: StoreLayout,
  marker: Marker,
  digests: readonly Digest[],
  isNeeded: (digest: Digest) => boolean,
): Sweep {
  return {
    kind: 'objects',
    digests,
    path: (digest) => layout.object(digest),
    isNeeded,
    update: () => marker.updatePresentLayers(),
    directory: undefined,
  };
}
