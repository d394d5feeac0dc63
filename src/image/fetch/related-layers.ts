// SPDX-License-Identifier: Apache-2.0
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { LayerKey } from '../../store/disk/layer-identity.ts';
import { identityOf, type RefRecord } from '../../store/ref/ref-record.ts';

/** Reading the entries of so many takes a fraction of a second. */
const LAYERS_MAX = 32;

/**
 * The layers of the store that most likely have files in common with the image of this name: those of
 * other images from its repository, and then of the others, the latest first.
 */
export function relatedLayers(
  records: readonly RefRecord[],
  reference: Reference | undefined,
): readonly LayerKey[] {
  const isRelated = (record: RefRecord): number => {
    if (reference === undefined || record.reference === undefined) return 0;
    const { registry, repository } = parseReference(record.reference);
    return registry === reference.registry && repository === reference.repository ? 1 : 0;
  };
  const ordered = records.toSorted(
    (a, b) => isRelated(b) - isRelated(a) || b.pulledAt.localeCompare(a.pulledAt),
  );
  const keys = ordered.flatMap(({ layers }) =>
    layers.map((layer) => identityOf(layer).key).toReversed(),
  );
  return [...new Set(keys)].slice(0, LAYERS_MAX);
}
