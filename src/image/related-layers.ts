// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import type { RefRecord } from '../store/ref/ref-record.ts';

/** Reading the entries of so many takes a fraction of a second. */
const LAYERS_MAX = 32;

/**
 * The layers of the store that most likely have files in common with the image of this name: those of
 * other images from its repository, and then of the others, the latest first.
 */
export function relatedLayers(
  records: readonly RefRecord[],
  reference: Reference | undefined,
): readonly Digest[] {
  const isRelated = (record: RefRecord): number => {
    if (reference === undefined || record.reference === undefined) return 0;
    const { registry, repository } = parseReference(record.reference);
    return registry === reference.registry && repository === reference.repository ? 1 : 0;
  };
  const ordered = records.toSorted(
    (a, b) => isRelated(b) - isRelated(a) || b.pulledAt.localeCompare(a.pulledAt),
  );
  const diffIds = ordered.flatMap(({ layers }) => layers.map(({ diffId }) => diffId).toReversed());
  return [...new Set(diffIds)].slice(0, LAYERS_MAX);
}
