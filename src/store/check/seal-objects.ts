// SPDX-License-Identifier: Apache-2.0
import { diskTroubleOf } from '../../base/disk-trouble.ts';
import type { Log } from '../../base/log.ts';
import type { Sealer } from '../checkout/sealer.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { listShards, readShard } from '../disk/object-shards.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { TransactionDirectory } from '../disk/transaction-directory.ts';

/**
 * Seals the objects that were there before sealing worked; those that are sealed are left as they are. To be
 * called when all of them were just found whole. Containers that are installed from then on have
 * the seals in their roots.
 * @throws StoreError VERITY_UNAVAILABLE where the setting requires it.
 */
export async function sealObjects(
  layout: StoreLayout,
  sealer: Sealer,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  if (!sealer.mayWork()) return;
  try {
    using directory = await TransactionDirectory.create(layout, log, signal);
    if (!(await sealer.works(directory.path, signal))) return;
  } catch (error) {
    // A store that is whole and cannot be written needs no repair.
    if (diskTroubleOf(error) === 'read-only' && sealer.setting !== 'require') return;
    throw storeFailure('sealing files of the store', error);
  }
  for (const shard of listShards(layout).shards) {
    const { objects } = readShard(layout, shard);
    await sealer.seal(
      objects.map((digest) => layout.object(digest)),
      signal,
    );
  }
}
