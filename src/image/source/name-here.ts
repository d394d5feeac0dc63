// SPDX-License-Identifier: Apache-2.0
import { parseReference } from '../../oci/reference.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import type { Stores } from '../../store/stores.ts';

/** What to keep a copy as, where its name means another image here by now: the name goes on meaning that. */
export function nameHere(
  { reference, manifestDigest }: RefRecord,
  { local }: Stores,
): string | undefined {
  const other = local.listRefs().find((record) => record.reference === reference);
  if (reference === undefined || other === undefined || other.manifestDigest === manifestDigest) {
    return undefined;
  }
  const { registry, repository } = parseReference(reference);
  return `${registry}/${repository}@${manifestDigest}`;
}
