// SPDX-License-Identifier: Apache-2.0
// Disks of a virtual machine that get into trouble while sysct works on them: project quotas, writes that fail, blocks
// that cannot be read. It says so and exits with 7 or 8; when the disk works again nothing is lost, and the same works.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sha256 } from '../../src/base/digest.ts';
import { StoreLayout } from '../../src/store/disk/layout.ts';
import { largeFileOf } from '../support/crash/crash-images.ts';
import type { Action, CrashSite, Ended } from '../support/crash/crash-site.ts';
import type { FileSystemKind } from '../support/disk/loop-image.ts';
import type { RunningHost } from '../support/host/nspawn-host.ts';
import { type VmRig, VmSite } from '../support/crash/vm-site.ts';
import {
  makeReady,
  scriptsFor,
  takeBack,
  VM_TROUBLES,
  type TroubleScripts,
  type VmTrouble,
  type VmTroubleKind,
} from '../support/crash/vm-trouble.ts';
import { assertRecovered, assertSaid, isStruck } from './in-trouble.ts';
import { type Step, wordsOf } from './steps.ts';

export interface VmTroubleCase extends VmTroubleKind {
  readonly step: Step;
}

const STEPS: readonly Step[] = [
  { action: 'pull', image: 'a' },
  { action: 'install', image: 'b' },
  { action: 'prefetch', image: 'shared' },
  { action: 'rmi', image: 'c' },
  { action: 'gc', image: 'd' },
  { action: 'repair', image: 'keep' },
];

/** All there are. */
export function vmTroubleCases(
  fileSystems: readonly FileSystemKind[],
  actions: readonly Action[],
): readonly VmTroubleCase[] {
  const steps = STEPS.filter(({ action }) => actions.includes(action));
  return fileSystems.flatMap((fs) =>
    VM_TROUBLES.filter((trouble) => fs !== 'btrfs' || trouble === 'failing writes').flatMap(
      (trouble) => steps.map((step) => ({ trouble, fs, step })),
    ),
  );
}

interface Told {
  readonly statuses: readonly number[];
  /** Whether an import leaves nothing, however it failed. */
  readonly givesBack: boolean;
}

const TOLD: Readonly<Record<VmTrouble, Told>> = {
  'project quota': { statuses: [7], givesBack: true },
  // Once its journal is lost, ext4 is read-only.
  'failing writes': { statuses: [7, 8], givesBack: false },
  'unreadable blocks': { statuses: [8], givesBack: true },
};

/** The disk of the machine that all cases use, each with a fresh file system. */
export const FRAIL = 'frail';

/**
 * Returns how many of the cases the trouble was met in. Throws at the first that lost something or told it badly.
 *
 * @param report gets a line for each case.
 */
export async function vmTroubleCampaign(
  rig: VmRig,
  cases: readonly VmTroubleCase[],
  report: (line: string) => void,
): Promise<number> {
  const running = await rig.running();
  let struck = 0;
  for (const example of cases) {
    const { trouble, fs, step } = example;
    const what = `${trouble} on ${fs}: ${wordsOf([step])}`;
    try {
      const disk = new VmSite(rig, FRAIL, fs);
      const said = await inTrouble(example, disk, running);
      report(`${what}: ${said.exitCode} ${said.stderr.trimEnd()}`);
      if (isStruck(said)) assertSaid(step, said, TOLD[trouble].statuses);
      if (isStruck(said) || said.stdout.includes('EIO')) struck += 1;
      await disk.outside(async (site) => {
        await assertRecovered(site, step, rig.bench.expected);
        await site.assertIntact(rig.bench.expected);
      });
    } catch (cause) {
      throw new Error(what, { cause });
    }
  }
  return struck;
}

async function inTrouble(kind: VmTroubleCase, disk: VmSite, vm: RunningHost): Promise<Ended> {
  const { step } = kind;
  await disk.make();
  const file = await disk.outside((site) => prepare(site, kind));
  await makeReady(kind, disk.image);
  const scripts = scriptsFor(kind, disk, file);
  // What it remembers of the case before.
  await bash(vm, `blockdev --flushbufs ${disk.device}`);
  await bash(vm, scripts.mount);
  const line = disk.inside.lineOf(step.action, step.image);
  const said = await disk.run(vm, line, wrapper(kind, scripts, disk.inside.store));
  const made = await vm.script('cat /run/trouble /run/trouble-log');
  assert.match(made, /^is there$/m, 'the trouble could be made');
  const debris = await vm.script(`ls ${disk.inside.store}/txn || true`);
  if (TOLD[kind.trouble].givesBack) assert.equal(debris, '', 'what the dead import left');
  await bash(vm, scripts.heal);
  await takeBack(kind, disk.image);
  return said;
}

async function bash(vm: RunningHost, script: string): Promise<void> {
  const { exitCode, stdout, stderr } = await vm.exec('bash', ['-euc', script]);
  assert.equal(exitCode, 0, `${script}\n${stdout.toString('utf8')}${stderr}`);
}

/** Runs a line, and makes the trouble when it has begun to write; or before, where it writes too little for that. */
function wrapper(
  { trouble, step }: VmTroubleCase,
  { fail }: TroubleScripts,
  store: string,
): string {
  const isBefore = trouble === 'unreadable blocks' || step.action === 'rmi' || step.action === 'gc';
  const until = `
    shopt -s nullglob
    while kill -0 $pid 2> /dev/null; do
      begun=(${store}/txn/*)
      [ \${#begun[@]} -eq 0 ] || break
    done`;
  return `
    make_trouble() { set -e; ${fail}
      echo is there > /run/trouble; }
    echo is not there > /run/trouble; : > /run/trouble-log
    ${isBefore ? '( make_trouble ) > /run/trouble-log 2>&1' : ''}
    # Root may go beyond a quota of ext4, as long as it has this capability.
    setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource "$0" "$@" & pid=$!
    ${isBefore ? '' : `${until}; ( make_trouble ) > /run/trouble-log 2>&1`}
    wait $pid`;
}

/** Makes what the step is about, and returns the file, below the mount, that it cannot do without. */
async function prepare(
  site: CrashSite,
  { trouble, step: { action, image } }: VmTroubleCase,
): Promise<string> {
  const layout = new StoreLayout(site.store);
  if (action === 'rmi' || action === 'gc') await site.checked(site.lineOf('pull', image));
  if (action === 'gc') await site.forget(image);
  // What cannot be read is damage enough.
  if (action === 'repair' && trouble !== 'unreadable blocks') site.damage();
  const file =
    action === 'repair' ? layout.object(sha256(largeFileOf('keep'))) : largestIn(layout.layers);
  return relative(join(site.root, '..'), file);
}

function largestIn(directory: string): string {
  const sizes = readdirSync(directory).map((name) => {
    const path = join(directory, name);
    return { path, size: statSync(path).size };
  });
  return sizes.toSorted((a, b) => b.size - a.size)[0]!.path;
}
