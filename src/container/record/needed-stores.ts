// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { isAdditionalStoreDropIn } from '../../launch/mount-units.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import type { Generation } from './generation.ts';

/** Host path of the drop-in that ties a generation's root to an additional store; undefined when there was none. */
export function additionalStoreDropInOf({ changes }: Generation): string | undefined {
  return changes.find(({ path }) => isAdditionalStoreDropIn(path))?.path;
}

/** Host paths of the additional stores that a container still needs: none once it is prefetched. */
export function neededStores(host: HostRoot, generation: Generation): readonly string[] {
  const dropIn = additionalStoreDropInOf(generation);
  if (dropIn === undefined || !existsSync(host.resolve(dropIn))) return [];
  return generation.additionalStores ?? [];
}
