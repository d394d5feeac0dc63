// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { LayerKey } from '../../store/disk/layer-identity.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import type { Store } from '../../store/store.ts';

/**
 * Which layers to fetch for these objects: by key, the objects that each brings, every object once,
 * from the smallest layer that has it. What no layer of the store has is left out.
 */
export function layersWith(
  objects: ReadonlySet<Digest>,
  layers: readonly { readonly descriptor: Descriptor; readonly key: LayerKey }[],
  store: Store,
): ReadonlyMap<LayerKey, readonly Digest[]> {
  const open = new Set(objects);
  const found = new Map<LayerKey, readonly Digest[]>();
  const bySize = layers.toSorted((a, b) => a.descriptor.sizeBytes - b.descriptor.sizeBytes);
  for (const { key } of bySize) {
    if (open.size === 0) break;
    const held = objectsOf(key, open, store);
    for (const digest of held) open.delete(digest);
    if (held.size > 0) found.set(key, [...held]);
  }
  return found;
}

function objectsOf(key: LayerKey, wanted: ReadonlySet<Digest>, store: Store): Set<Digest> {
  using sources = store.contentSources();
  const held = new Set<Digest>();
  try {
    for (const entry of sources.layer(key).entries()) {
      if (entry.kind !== 'file' || entry.content.kind !== 'object') continue;
      if (wanted.has(entry.content.digest)) held.add(entry.content.digest);
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
  return held;
}
