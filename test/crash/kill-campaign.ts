// SPDX-License-Identifier: Apache-2.0
// kill -9 at random instants: of one run, or of one or all of several at once. After each: everything that was
// there and that nobody asked to remove is there, to the byte; what was killed works when it is run again.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CrashBench, furnishedSite } from '../support/crash/crash-bench.ts';
import {
  type Action,
  type Contents,
  type CrashSite,
  type RunningVerb,
} from '../support/crash/crash-site.ts';
import { type Random, seededRandom } from '../support/random.ts';
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

/** Throws at the first thing that is lost or does not work. */
export async function killCampaign(
  bench: CrashBench,
  options: KillCampaignOptions,
): Promise<KillCounts> {
  const random = seededRandom(options.seed);
  const counts: KillCounts = { killed: 0, byAction: new Map(), together: 0 };
  const { expected } = bench;
  const site = await furnishedSite(bench, join(bench.directory, 'site'));
  const durations = new Map<Action, number>();
  for (let round = 1; round <= options.rounds; round += 1) {
    const steps = chooseSteps(options.actions, await site.holdings(), random);
    const line = `${round}: ${wordsOf(steps)}`;
    try {
      const outcome = await runRound(site, steps, expected, durations, random);
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
  await site.assertIntact(expected);
  return counts;
}

interface Outcome {
  readonly step: Step;
  readonly word: 'done' | 'killed';
}

async function runRound(
  site: CrashSite,
  steps: readonly Step[],
  expected: Contents,
  durations: Map<Action, number>,
  random: Random,
): Promise<readonly Outcome[]> {
  const victims = random() < 0.5 ? steps : steps.slice(0, 1);
  const longest = Math.max(...victims.map(({ action }) => durations.get(action) ?? 500));
  const before = await prepare(site, steps);
  const began = performance.now();
  const running = steps.map(({ action, image }) => site.start(site.lineOf(action, image)));
  // Two processors, for whom three things at once take half as long again.
  await delay(longest * Math.max(1, steps.length / 2) * 1.05 * random());
  for (const victim of running.slice(0, victims.length)) kill(victim, random);
  const outcomes: Outcome[] = [];
  for (const [n, step] of steps.entries()) {
    const ended = await (running[n] as RunningVerb).ended;
    const isKilled = n < victims.length && ended.exitCode === undefined;
    if (!isKilled) assertSucceeded(step, ended);
    outcomes.push({ step, word: isKilled ? 'killed' : 'done' });
  }
  if (outcomes.length === 1 && outcomes[0]?.word === 'done') {
    durations.set(steps[0]!.action, performance.now() - began);
  }
  const killed = outcomes.flatMap(({ step, word }) => (word === 'killed' ? [step] : []));
  // Until it is repaired, what is damaged is no measure.
  for (const step of killed) if (step.action === 'repair') await runAgain(site, step);
  const after = await site.assertIntact(expected);
  assertOnlyAsked(steps, before, after);
  for (const { step, word } of outcomes) if (word === 'done') assertDone(step, after);
  for (const step of killed) if (step.action !== 'repair') await runAgain(site, step);
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
