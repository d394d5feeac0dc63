// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { RefSignature } from '../../store/ref/ref-record.ts';

/**
 * Signatures that are known of an image, each once. A blob that was found beside the image and beside its index is one of each: whoever
 * puts the one among the others must not take it from where it counts.
 */
export function knownSignatures(
  manifestDigest: Digest,
  ...lists: readonly (readonly RefSignature[])[]
): readonly RefSignature[] {
  const known = lists
    .flat()
    .map((each) => [`${each.digest} ${each.manifestDigest ?? manifestDigest}`, each] as const);
  return [...new Map(known).values()];
}
