// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import type { StoreLayout } from './layout.ts';

/** True when an object of this size is there; one of another size, or that is no file, is damaged and counts as absent. */
export function isObjectThere(layout: StoreLayout, digest: Digest, sizeBytes: number): boolean {
  const stats = lstatSync(layout.object(digest), { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === sizeBytes;
}
