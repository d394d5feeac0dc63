// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import type { Finding } from './finding.ts';

/** The path of what a finding is about. */
export function placeOf(
  layout: StoreLayout,
  { kind, name }: Pick<Finding, 'kind' | 'name'>,
): string {
  switch (kind) {
    case 'object':
      return layout.object(name as Digest);
    case 'layer':
      return layout.layer(name as LayerKey);
    case 'tree':
      return layout.tree(name as Digest);
    case 'image':
      return layout.image(name as Digest);
    case 'blob':
      return layout.blob(name as Digest);
    case 'ref':
    case 'generation':
    case 'file':
      return join(layout.directory, name);
  }
}
