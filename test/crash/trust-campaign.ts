// SPDX-License-Identifier: Apache-2.0
// Power cuts of what the trust gate writes beside images: the edits of policy.json, registries.d and trust.d, the ledger of
// decisions, and when images were signed. By hand, as root:
//
//     node test/crash/trust-campaign.ts [--rounds 20] [--seed N] [--fs ext4,xfs,btrfs]
//
// As in power-cut-campaign.ts each step runs once, on a disk that writes down what it is told, and any number of cuts come from
// that. With more rounds than a step has events there is a cut after each of them. trust-power-cut.test.ts runs a short one.
// `sh bin/dev build` first.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { runChecked } from '../../src/sys/process.ts';
import { openLoggedDisk } from '../support/disk/logged-disk.ts';
import type { FileSystemKind } from '../support/disk/loop-image.ts';
import { withMountedImage } from '../support/disk/mounted-image.ts';
import { type Random, seededRandom } from '../support/random.ts';
import { assertRecorded, type Ledger } from '../support/trust/read-ledger.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { TrustSite, TrustSources, type TrustState } from '../support/trust/trust-site.ts';
import { DiskReplay, type WriteLog } from '../support/disk/write-log.ts';
import { TRUST_STEPS, type TrustStep } from './trust-steps.ts';

interface RecordedStep {
  readonly step: TrustStep;
  /** Events of the log. */
  readonly from: number;
  readonly to: number;
  readonly before: TrustState;
  readonly after: TrustState;
}

/** mkfs.xfs refuses less than 300. */
const SIZE_MB = 320;
const POLICY = 'containers/policy.json';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: `${Date.now() % 1e6}` },
    fs: { type: 'string', default: 'ext4,xfs,btrfs' },
  },
});
process.on('uncaughtException', (error) => {
  // What happens while tidying up hides what went wrong before.
  for (let shown: unknown = error; shown !== undefined; shown = suppressedBy(shown))
    console.error(inspect(shown instanceof SuppressedError ? shown.error : shown, { depth: 10 }));
  process.exit(1);
});
using tmp = temporaryDirectory('trust-cut', '/dev/shm');
const path = (name: string): string => join(tmp.directory, name);
mkdirSync(path('sources'));
const sources = await TrustSources.create(path('sources'));
const random = seededRandom(Number(values.seed));
let cuts = 0;
for (const fs of values.fs.split(',') as FileSystemKind[]) {
  await using disk = await openLoggedDisk(fs, SIZE_MB);
  const steps = await record(new TrustSite(disk.directory, sources), disk.log);
  await disk.unmount();
  using replay = new DiskReplay(disk.log, path('stable'), disk.sizeBytes);
  for (const one of steps) cuts += await cutShort(one, fs, replay);
}
console.log(`${cuts} power cuts, nothing lost`);

/** Does all steps; each begins with all durable that was there before it. */
async function record(site: TrustSite, log: WriteLog): Promise<readonly RecordedStep[]> {
  const makeDurable = async (): Promise<void> => {
    await runChecked('sync', ['--file-system', site.root]);
  };
  site.make();
  await makeDurable();
  const steps: RecordedStep[] = [];
  for (const step of TRUST_STEPS) {
    if (step.given !== undefined) {
      await step.given(site);
      await makeDurable();
    }
    const before = await site.state();
    const from = log.update();
    await step.act(site);
    const to = log.update();
    const after = await site.state();
    for (const [file, was] of before.etc)
      assert.equal(aboutOf(after.etc.get(file)), aboutOf(was), `${step.name}: ${file}`);
    steps.push({ step, from, to, before, after });
  }
  return steps;
}

/** @returns how often */
async function cutShort(
  recorded: RecordedStep,
  fs: FileSystemKind,
  replay: DiskReplay,
): Promise<number> {
  const { step, from, to } = recorded;
  const instants = cutsWithin(recorded, Number(values.rounds), random);
  for (const at of instants) {
    const what = `seed ${values.seed}: ${step.name} on ${fs}, cut after event ${at} of ${from}…${to}`;
    try {
      await replay.cut(at, path('cut'), random);
      await withMountedImage(fs, path('cut'), path('mnt'), async () => {
        const site = new TrustSite(path('mnt'), sources);
        if (at < to) await assertBetween(site, recorded);
        else await assertDone(site, recorded);
      });
    } catch (cause) {
      throw new Error(what, { cause });
    }
  }
  console.log(`${fs}: ${step.name}: ${instants.length} cuts in ${to - from} events`);
  return instants.length;
}

/** In order; the last one is at the instant when the step said that it was done. */
function cutsWithin({ from, to }: RecordedStep, count: number, random: Random): readonly number[] {
  if (count > to - from) return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  const within = Array.from({ length: count - 1 }, () => from + Math.floor(random() * (to - from)));
  return [...within.toSorted((a, b) => a - b), to];
}

async function assertDone(site: TrustSite, { after }: RecordedStep): Promise<void> {
  await assertSound(site.store);
  assert.deepEqual(await site.state(), after);
}

async function assertBetween(site: TrustSite, recorded: RecordedStep): Promise<void> {
  const { step, before, after } = recorded;
  await assertSound(site.store);
  const found = await site.state();
  await assertEtc(site, recorded, found);
  assertLedger(recorded, found.ledger);
  await assertRecorded(site.store);
  for (const name of new Set([before, after].flatMap(({ floors }) => [...floors.keys()]))) {
    const [was, will, is] = [before, after, found].map(({ floors }) => floors.get(name));
    assert.ok(is === was || is === will, `${name}: ${is}, was ${was}, and becomes ${will}`);
  }
  const isNamed = found.images.some((image) => !before.images.includes(image));
  if (isNamed)
    assert.deepEqual(found.floors, after.floors, 'the time of what has a name is remembered');
  for (const image of before.images.filter((one) => after.images.includes(one)))
    assert.ok(found.images.includes(image), `${image} is lost`);
  await step.act(site);
  const next = await site.state();
  for (const part of ['etc', 'floors', 'images'] as const)
    assert.deepEqual(next[part], after[part], `${part} after the next run`);
  assertGoesOn(recorded, found.ledger, next.ledger);
  assert.deepEqual(site.temporaries(), [], 'what a dead writer left');
}

/** Each file is the old one or the new one, attributes included; what names others is new only when they are. */
async function assertEtc(
  site: TrustSite,
  { before, after }: RecordedStep,
  { etc }: TrustState,
): Promise<void> {
  const changed = [...after.etc].filter(([file, is]) => before.etc.get(file) !== is);
  const done = changed.filter(([file, is]) => etc.get(file) === is);
  assert.deepEqual(sorted(etc), sorted(new Map([...before.etc, ...done])));
  const last = Math.max(...done.map(([file]) => rankOf(file)));
  for (const [file] of changed)
    assert.ok(rankOf(file) >= last || etc.get(file) === after.etc.get(file), `${file} is too late`);
  if (changed.length === 0 || !etc.has(POLICY)) return;
  const { stdout } = await site.run(['trust', 'lint', '--json']);
  const { findings } = JSON.parse(stdout) as { findings: readonly { code: string }[] };
  const codes = findings.map(({ code }) => code);
  for (const code of ['does-not-load', 'unreadable-key', 'invalid-key'])
    assert.ok(!codes.includes(code), stdout);
}

/** In the order that they are written in. */
function rankOf(file: string): number {
  if (file === POLICY) return 1;
  return file.startsWith('sysct/trust.d/') ? 2 : 0;
}

/** Mode, owner and attributes. */
function aboutOf(file: string | undefined): string | undefined {
  return file?.split('\n')[0];
}

function sorted(files: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** All that was recorded before is there, in its order; of what was being recorded whole lines, or what says nothing. */
function assertLedger({ before, after }: RecordedStep, found: Ledger): void {
  const known = before.ledger.lines.length;
  assert.deepEqual(found.lines.slice(0, known), before.ledger.lines, 'decisions of before');
  for (const line of found.lines.slice(known))
    assert.ok(after.ledger.lines.includes(line), `nobody decided ${line}`);
  const tornBefore = before.ledger.torn;
  assert.deepEqual(found.torn.slice(0, tornBefore.length), tornBefore);
}

/** What was torn spoils itself alone, and each decision that comes next is a line. */
function assertGoesOn({ before, after }: RecordedStep, found: Ledger, next: Ledger): void {
  const decisions = after.ledger.lines.length - before.ledger.lines.length;
  assert.deepEqual(next.torn, found.torn, 'torn lines');
  assert.deepEqual(next.lines.slice(0, found.lines.length), found.lines);
  assert.equal(next.lines.length, found.lines.length + decisions, 'lines of the next run');
}

function suppressedBy(error: unknown): unknown {
  return error instanceof SuppressedError ? error.suppressed : undefined;
}
