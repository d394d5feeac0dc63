// SPDX-License-Identifier: Apache-2.0
// A virtual machine is killed at a random instant while sysct works in it, alone or several at once. What its kernel
// had not written is lost. Then its disk is looked at: all that was there and that nobody asked to remove is there, to
// the byte, what was said to be done is done, and what was cut short works when it is run again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Action, Contents, CrashSite, Ended, Holdings } from '../support/crash/crash-site.ts';
import type { FileSystemKind } from '../support/disk/loop-image.ts';
import { type Random, seededRandom } from '../support/random.ts';
import { type VmRig, VmSite } from '../support/crash/vm-site.ts';
import {
  assertDone,
  assertOnlyAsked,
  assertSucceeded,
  chooseSteps,
  prepare,
  runAgain,
  type Step,
  wordsOf,
} from './steps.ts';

export interface VmKillOptions {
  readonly fileSystems: readonly FileSystemKind[];
  /** Of the machine, on each file system. */
  readonly kills: number;
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Gets a line for each kill. */
  readonly report: (line: string) => void;
}

export interface VmKillCounts {
  /** Machines that were killed while something was under way. */
  machines: number;
  /** What was under way then. */
  cutShort: number;
}

/**
 * Each file system on the disk of its name. Throws at the first thing that is lost or does not work.
 */
export async function vmKillCampaign(rig: VmRig, options: VmKillOptions): Promise<VmKillCounts> {
  const random = seededRandom(options.seed);
  const counts: VmKillCounts = { machines: 0, cutShort: 0 };
  for (const fs of options.fileSystems) {
    const disk = new VmSite(rig, fs, fs);
    await disk.make();
    for (let n = 1; n <= options.kills; n += 1) {
      const { steps, before } = await disk.outside((site) => plan(site, options.actions, random));
      const line = `${fs}, kill ${n}: ${wordsOf(steps)}`;
      try {
        const said = await killInTheMiddle(rig, disk, steps, random);
        await disk.outside((site) => judge(site, steps, before, said, rig.bench.expected));
        const cutShort = steps.length - said.size;
        options.report(
          `${line}: ${steps.map((s) => (said.has(s) ? 'done' : 'killed')).join(', ')}`,
        );
        counts.cutShort += cutShort;
        if (cutShort > 0) counts.machines += 1;
      } catch (cause) {
        throw new Error(`seed ${options.seed}: ${line}`, { cause });
      }
    }
  }
  return counts;
}

async function plan(
  site: CrashSite,
  actions: readonly Action[],
  random: Random,
): Promise<{ readonly steps: readonly Step[]; readonly before: Holdings }> {
  const steps = chooseSteps(actions, await site.holdings(), random);
  return { steps, before: await prepare(site, steps) };
}

/** Whatever the machine, how long a verb takes there in boots; two processors are for all that run at once. */
const LONGEST_PER_BOOT = { long: 0.6, quick: 0.3, eachMore: 0.25 };
const QUICK: readonly Action[] = ['uninstall', 'rmi', 'gc'];

/** Returns what ended before the machine did. */
async function killInTheMiddle(
  rig: VmRig,
  disk: VmSite,
  steps: readonly Step[],
  random: Random,
): Promise<ReadonlyMap<Step, Ended>> {
  const running = await rig.running();
  await running.script(`
    blockdev --flushbufs ${disk.device}
    mkdir -p ${disk.mountPoint}; mount ${disk.device} ${disk.mountPoint}`);
  const said = new Map<Step, Ended>();
  const cut = new AbortController();
  const all = steps.map(async (step) => {
    try {
      said.set(step, await disk.run(running, disk.inside.lineOf(step.action, step.image)));
    } catch (error) {
      if (!cut.signal.aborted) throw error;
    }
  });
  const { long, quick, eachMore } = LONGEST_PER_BOOT;
  const one = steps.every(({ action }) => QUICK.includes(action)) ? quick : long;
  const longestMs = rig.bootMs * (one + eachMore * (steps.length - 1));
  await Promise.race([Promise.all(all), delay(longestMs * random(), undefined, { ref: false })]);
  cut.abort();
  await rig.kill();
  await Promise.all(all);
  return said;
}

async function judge(
  site: CrashSite,
  steps: readonly Step[],
  before: Holdings,
  said: ReadonlyMap<Step, Ended>,
  expected: Contents,
): Promise<void> {
  for (const [step, ended] of said) assertSucceeded(step, ended);
  const cutShort = steps.filter((step) => !said.has(step));
  // Until it is repaired, what is damaged is no measure.
  for (const step of cutShort) if (step.action === 'repair') await runAgain(site, step);
  const after = await site.assertIntact(expected);
  assertOnlyAsked(steps, before, after);
  for (const step of said.keys()) assertDone(step, after);
  for (const step of cutShort) if (step.action !== 'repair') await runAgain(site, step);
  await site.assertIntact(expected);
}
