// SPDX-License-Identifier: Apache-2.0
// kill -9 at random instants: of one run, or of one or all of several at once. After each: everything that was
// there and that nobody asked to remove is there, to the byte; what was killed works when it is run again.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { CRASH_IMAGES, type CrashImage, startCrashRegistry } from '../support/crash-images.ts';
import {
  type Action,
  type Contents,
  CrashSite,
  type Ended,
  type Holdings,
  type RunningVerb,
  undisturbed,
} from '../support/crash-site.ts';
import { oneOf, type Random, seededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/tmp.ts';

export interface KillCampaignOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Gets a line for each round. */
  readonly report: (line: string) => void;
}

export interface KillCounts {
  /** Runs that were killed before they were done. */
  killed: number;
  /** By action. */
  readonly byAction: Map<Action, number>;
  /** Rounds in which several ran at once. */
  together: number;
}

interface Step {
  readonly action: Action;
  readonly image: CrashImage;
}

/** Throws at the first thing that is lost or does not work. */
export async function killCampaign(options: KillCampaignOptions): Promise<KillCounts> {
  const random = seededRandom(options.seed);
  const counts: KillCounts = { killed: 0, byAction: new Map(), together: 0 };
  await using registry = await startCrashRegistry();
  using tmp = temporaryDirectory('kill', '/dev/shm');
  const expected = await undisturbed(registry, tmp.directory);
  const site = new CrashSite(tmp.directory, registry);
  await site.furnish();
  const durations = new Map<Action, number>();
  for (let round = 1; round <= options.rounds; round += 1) {
    const before = await site.holdings();
    const steps = chooseSteps(options.actions, before, random);
    const line = `${round}: ${steps.map(({ action, image }) => `${action} ${image}`).join(', ')}`;
    try {
      const outcome = await runRound(site, steps, before, expected, durations, random);
      options.report(`${line}: ${outcome.map(({ word }) => word).join(', ')}`);
      for (const { step, word } of outcome) {
        if (word !== 'killed') continue;
        counts.killed += 1;
        counts.byAction.set(step.action, (counts.byAction.get(step.action) ?? 0) + 1);
      }
    } catch (cause) {
      throw new Error(`seed ${options.seed}, round ${line}`, { cause });
    }
    if (steps.length > 1) counts.together += 1;
  }
  return counts;
}

interface Outcome {
  readonly step: Step;
  readonly word: 'done' | 'killed';
}

async function runRound(
  site: CrashSite,
  steps: readonly Step[],
  before: Holdings,
  expected: Contents,
  durations: Map<Action, number>,
  random: Random,
): Promise<readonly Outcome[]> {
  const victims = random() < 0.5 ? steps : steps.slice(0, 1);
  const longest = Math.max(...victims.map(({ action }) => durations.get(action) ?? 500));
  const isRepair = steps.some(({ action }) => action === 'repair');
  if (isRepair) site.damage();
  const began = performance.now();
  const running = steps.map(({ action, image }) => site.start(site.lineOf(action, image)));
  await delay(longest * 1.05 * random());
  for (const victim of running.slice(0, victims.length)) kill(victim, random);
  const outcomes: Outcome[] = [];
  for (const [n, step] of steps.entries()) {
    const ended = await (running[n] as RunningVerb).ended;
    const isKilled = n < victims.length && ended.exitCode === undefined;
    if (!isKilled) assertDone(step, ended);
    outcomes.push({ step, word: isKilled ? 'killed' : 'done' });
  }
  if (outcomes.length === 1 && outcomes[0]?.word === 'done') {
    durations.set(steps[0]!.action, performance.now() - began);
  }
  if (!isRepair) assertOnlyAsked(steps, before, await site.assertIntact(expected));
  for (const { step, word } of outcomes) if (word === 'killed') await runAgain(site, step);
  if (isRepair) assertOnlyAsked(steps, before, await site.assertIntact(expected));
  return outcomes;
}

/** The process alone, as the kernel does when memory is short, or with all that it started. */
function kill({ child }: RunningVerb, random: Random): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(random() < 0.5 ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It ended at this very moment.
  }
}

async function runAgain(site: CrashSite, step: Step): Promise<void> {
  const { action, image } = step;
  const { containers } = await site.holdings();
  const isDone =
    (action === 'install' && containers.has(image)) ||
    (action === 'uninstall' && !containers.has(image));
  // What was done before it was killed is refused politely; let another writer tidy up then.
  const line = isDone ? site.lineOf('pull', 'keep') : site.lineOf(action, image);
  assertDone(step, await site.run(line));
  const wanted = await site.holdings();
  switch (action) {
    case 'pull':
      assert.ok(wanted.images.has(image));
      break;
    case 'install':
      assert.ok(wanted.containers.has(image));
      break;
    case 'uninstall':
      assert.ok(!wanted.containers.has(image));
      break;
    case 'rmi':
      assert.ok(!wanted.images.has(image));
      break;
    case 'gc':
    case 'repair':
  }
  if (action === 'pull') assert.deepEqual(site.debris(), [], 'what dead imports left');
}

function assertDone({ action, image }: Step, { exitCode, stdout, stderr }: Ended): void {
  assert.equal(exitCode, 0, `${action} ${image}: ${stdout}${stderr}`);
}

/** Nothing went or came that nobody asked for. */
function assertOnlyAsked(steps: readonly Step[], before: Holdings, after: Holdings): void {
  const asked = (image: CrashImage, ...actions: readonly Action[]): boolean =>
    steps.some((step) => step.image === image && actions.includes(step.action));
  for (const image of CRASH_IMAGES) {
    const mayCome = asked(image, 'pull', 'install');
    assertKept(`image ${image}`, before.images, after.images, image, mayCome, asked(image, 'rmi'));
    const [comes, goes] = [asked(image, 'install'), asked(image, 'uninstall')];
    assertKept(`container on-${image}`, before.containers, after.containers, image, comes, goes);
  }
}

function assertKept(
  what: string,
  before: ReadonlySet<CrashImage>,
  after: ReadonlySet<CrashImage>,
  image: CrashImage,
  mayCome: boolean,
  mayGo: boolean,
): void {
  if (before.has(image)) assert.ok(after.has(image) || mayGo, `${what} is lost`);
  else assert.ok(!after.has(image) || mayCome, `${what} came from nowhere`);
}

const VICTIMS: readonly CrashImage[] = ['a', 'b', 'c', 'd'];

/** One to four things to do at once, each with an image of its own, each possible. */
function chooseSteps(
  actions: readonly Action[],
  { images, containers }: Holdings,
  random: Random,
): readonly Step[] {
  const free = [...VICTIMS];
  const count = random() < 0.4 ? 1 : 2 + Math.floor(random() * 3);
  const steps: Step[] = [];
  while (steps.length < count) {
    const image = oneOf(random, free);
    const possible = actions.filter((action) => {
      if (action === 'rmi') return images.has(image) && !containers.has(image);
      if (action === 'install') return !containers.has(image);
      if (action === 'uninstall') return containers.has(image);
      if (action === 'pull') return !images.has(image) || random() < 0.2;
      // What is damaged cannot be asked for at the same time.
      if (action === 'repair') return count === 1;
      return !steps.some((step) => step.action === action);
    });
    free.splice(free.indexOf(image), 1);
    if (possible.length > 0) steps.push({ action: oneOf(random, possible), image });
    if (free.length === 0) break;
  }
  return steps.length > 0 ? steps : chooseSteps(actions, { images, containers }, random);
}
