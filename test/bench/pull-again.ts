// SPDX-License-Identifier: Apache-2.0
import { withLoopImage } from '../support/disk/loop-image.ts';
import { LARGE_IMAGE, SAME_BASE_IMAGE } from './bench-images.ts';
import { openBenchRegistry } from './bench-registry.ts';
import { type Cost, describeCost } from './cost.ts';
import { printPromise, printRow } from './print-row.ts';

const IMAGE = 'bench/again:1';
const SAME_BASE = 'bench/again:2';

/** Pulls where the store has all of the image, or all but 25 MB of it: time, and blobs fetched. */
export async function measurePullAgain(): Promise<void> {
  await using bench = await openBenchRegistry();
  await bench.push(IMAGE, LARGE_IMAGE);
  await bench.push(SAME_BASE, SAME_BASE_IMAGE);
  console.log('\npulls where the store has what the image is made of');
  await withLoopImage({ fs: 'ext4', sizeMb: 6144 }, async (root) => {
    const pull = async (title: string, image: string): Promise<Cost & { blobs: number }> => {
      const before = (await bench.registry.log()).length;
      const cost = await bench.sysctPull(root, image);
      const blobs = fetchedBlobs((await bench.registry.log()).slice(before));
      printRow(`  ${title}`, [...describeCost(cost), `${blobs} blobs fetched`]);
      return { ...cost, blobs };
    };
    const cold = await pull('cold, 1.1 GB', IMAGE);
    const sameBase = await pull('on the same base, 25 MB of its own', SAME_BASE);
    const again = [];
    for (let round = 1; round <= 3; round += 1) {
      again.push(await pull(`the same image again, round ${round}`, IMAGE));
    }
    const seconds = Math.min(...again.map((cost) => cost.seconds));
    printPromise('  the same image again', seconds, 0.3, ' s');
    printPromise('    blobs fetched', Math.max(...again.map(({ blobs }) => blobs)), 0);
    // Its config and its own layer.
    printPromise('  on the same base: blobs fetched', sameBase.blobs, 2);
    printRow('    time, of the cold pull', [(sameBase.seconds / cold.seconds).toFixed(2)]);
  });
}

function fetchedBlobs(log: string): number {
  return log.match(/"GET \/v2\/[^"]*\/blobs\/[^"]*" 20[06]/g)?.length ?? 0;
}
