// SPDX-License-Identifier: Apache-2.0
// Power cuts at random instants of everything that changes a store. Each action runs once, to its end, on a
// disk that writes down what it is told; then the disk is made as a cut in the middle of that may have left it,
// again and again, and looked at: what was there before is there, and the action can be done again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { type CrashBench, furnishedSite } from '../support/crash/crash-bench.ts';
import { CRASH_IMAGES } from '../support/crash/crash-images.ts';
import { type Action, CrashSite, type Holdings } from '../support/crash/crash-site.ts';
import { type LoggedDisk, openLoggedDisk } from '../support/disk/logged-disk.ts';
import type { FileSystemKind } from '../support/disk/loop-image.ts';
import { withMountedImage } from '../support/disk/mounted-image.ts';
import { type Random, seededRandom } from '../support/random.ts';
import { DiskReplay } from '../support/disk/write-log.ts';
import type { Step } from './steps.ts';

export interface PowerCutOptions {
  readonly fileSystems: readonly FileSystemKind[];
  /** Of each action on each file system. */
  readonly cuts: number;
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Gets a line for each action. */
  readonly report: (line: string) => void;
}

/** A step that was done while the disk wrote everything down. */
interface RecordedStep extends Step {
  /** Events of the log. */
  readonly from: number;
  readonly to: number;
  readonly before: Holdings;
  readonly after: Holdings;
}

const STEPS: readonly Step[] = [
  { action: 'pull', image: 'a' },
  { action: 'install', image: 'b' },
  { action: 'pull', image: 'c' },
  { action: 'prefetch', image: 'shared' },
  { action: 'rmi', image: 'a' },
  { action: 'uninstall', image: 'b' },
  { action: 'rmi', image: 'b' },
  { action: 'gc', image: 'c' },
  { action: 'repair', image: 'keep' },
];

const SIZE_MB = 400;

/** Returns how many cuts there were. Throws at the first that lost something. */
export async function powerCutCampaign(
  bench: CrashBench,
  options: PowerCutOptions,
): Promise<number> {
  const random = seededRandom(options.seed);
  const { directory } = bench;
  let count = 0;
  for (const fs of options.fileSystems) {
    await using disk = await openLoggedDisk(fs, SIZE_MB);
    const steps = await record(disk, bench, options.actions);
    using replay = new DiskReplay(disk.log, join(directory, 'stable'), disk.sizeBytes);
    for (const step of steps) {
      const cuts = cutsWithin(step, options.cuts, random);
      for (const at of cuts) {
        const what = `seed ${options.seed}: ${step.action} on ${fs}, cut after event ${at} of ${step.from}…${step.to}`;
        try {
          await replay.cut(at, join(directory, 'cut'), random);
          await lookAt(bench, fs, step, at);
        } catch (cause) {
          throw new Error(what, { cause });
        }
        count += 1;
      }
      options.report(`${fs}: ${step.action}: ${cuts.length} cuts in ${step.to - step.from} events`);
    }
  }
  return count;
}

async function record(
  disk: LoggedDisk,
  bench: CrashBench,
  actions: readonly Action[],
): Promise<readonly RecordedStep[]> {
  const site = await furnishedSite(bench, disk.directory);
  // What the host itself had long before: nobody says that its files are durable.
  await makeDurable(disk);
  const steps: RecordedStep[] = [];
  for (const { action, image } of STEPS.filter((step) => actions.includes(step.action))) {
    if (action === 'gc' || action === 'repair') {
      if (action === 'gc') await site.forget(image);
      else site.damage();
      // The rig's own doing: no sync of the program stands between it and a cut.
      await makeDurable(disk);
    }
    const before = await site.holdings();
    const from = disk.log.update();
    await site.checked(site.lineOf(action, image));
    const to = disk.log.update();
    steps.push({ action, image, from, to, before, after: await site.holdings() });
  }
  await disk.unmount();
  return steps;
}

async function makeDurable(disk: LoggedDisk): Promise<void> {
  await runChecked('sync', ['--file-system', disk.directory]);
}

/** In order; the last one is at the instant when the action said that it was done. */
function cutsWithin({ from, to }: RecordedStep, count: number, random: Random): readonly number[] {
  const within = Array.from({ length: count - 1 }, () => from + Math.floor(random() * (to - from)));
  return [...within.toSorted((a, b) => a - b), to];
}

async function lookAt(
  bench: CrashBench,
  fs: FileSystemKind,
  step: RecordedStep,
  at: number,
): Promise<void> {
  const mountPoint = join(bench.directory, 'mnt');
  await withMountedImage(fs, join(bench.directory, 'cut'), mountPoint, async () => {
    const site = new CrashSite(mountPoint, bench.registry);
    // Until it is repaired, what is damaged is no measure.
    const isDamaged = step.action === 'repair' && at < step.to;
    const found = isDamaged ? await site.holdings() : await site.assertIntact(bench.expected);
    if (at >= step.to) assert.deepEqual(found, step.after, 'what was done is done');
    else assertBetween(step, found);
    await doAgain(site, step, found);
    assert.deepEqual(await site.assertIntact(bench.expected), step.after, 'the next run');
  });
}

function assertBetween({ before, after }: RecordedStep, found: Holdings): void {
  for (const kind of ['images', 'containers', 'inPlace'] as const) {
    for (const image of CRASH_IMAGES) {
      const [was, will, is] = [before, after, found].map((holdings) => holdings[kind].has(image));
      if (was === will) assert.equal(is, was, `${kind}: ${image} is lost, or came from nowhere`);
    }
  }
}

async function doAgain(site: CrashSite, step: RecordedStep, found: Holdings): Promise<void> {
  const { action, image, after } = step;
  const isDone =
    (action === 'install' || action === 'uninstall') &&
    found.containers.has(image) === after.containers.has(image);
  // What is done already would be refused, rightly; let another writer tidy up then.
  await site.checked(isDone ? site.lineOf('pull', 'keep') : site.lineOf(action, image));
}
