// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type LayerIdentity, layerOfDiffId, layerOfToc } from '../../store/disk/layer-identity.ts';

/** One layer as manifest and config together describe it. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Of its table of contents, as the manifest names it, where the layer may be taken for what that says. */
  readonly tocDigest: Digest | undefined;
}

/** What the layer may be in the store, the first one first. */
export function identitiesOf({ diffId, tocDigest }: Layer): readonly LayerIdentity[] {
  const byDiffId = layerOfDiffId(diffId);
  return tocDigest === undefined ? [byDiffId] : [byDiffId, layerOfToc(tocDigest)];
}

/** The same for layers that come to the same. */
export function layerName({ diffId, tocDigest }: Layer): string {
  return `${diffId} ${tocDigest ?? ''}`;
}
