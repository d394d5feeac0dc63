// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestFromHex } from '../../base/digest.ts';
import type { LayerKey } from './layer-identity.ts';
import type { StoreLayout } from './layout.ts';
import { namesIn } from './names-in.ts';

/** The digests that files of `directory` are named after, each name ending in `suffix`; other names are passed over. */
export function listDigestFiles(directory: string, suffix = ''): Digest[] {
  const digests: Digest[] = [];
  for (const name of namesIn(directory)) {
    const hex = name.slice(0, name.length - suffix.length);
    if (name.endsWith(suffix) && HEX.test(hex)) digests.push(digestFromHex(hex));
  }
  return digests.sort();
}

/** The names of all layer files. */
export function listLayers({ layers }: StoreLayout): readonly LayerKey[] {
  return listDigestFiles(layers) as LayerKey[];
}

const HEX = /^[0-9a-f]{64}$/;
