// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { withLoopImage } from '../support/disk/loop-image.ts';
import type { SyntheticLayer } from '../support/image/synthetic-image.ts';
import { openBenchRegistry } from './bench-registry.ts';
import { describeCost } from './cost.ts';
import { printPromise, printRow } from './print-row.ts';

/** Peak memory of the whole `sysct pull` of an image, whose size it must not follow. */
export async function measureMemory(
  title: string,
  layers: readonly SyntheticLayer[],
): Promise<void> {
  // Such images are too large to keep twice in memory.
  await using bench = await openBenchRegistry(tmpdir());
  await bench.push('bench/memory:1', layers);
  console.log(`\nmemory for an image of ${title}`);
  await withLoopImage({ fs: 'ext4', sizeMb: 16_384 }, async (root) => {
    const cost = await bench.sysctPull(root, 'bench/memory:1');
    printRow('  sysct pull', describeCost(cost));
    printPromise('  peak memory', cost.peakMb, 200, ' MB');
  });
}
