// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import type { StoreLayout } from './layout.ts';

/** True when an object of this size is there; one of another size is damaged and counts as absent. */
export function isObjectThere(layout: StoreLayout, digest: Digest, sizeBytes: number): boolean {
  return statSync(layout.object(digest), { throwIfNoEntry: false })?.size === sizeBytes;
}
