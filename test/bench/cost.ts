// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { temporaryDirectory } from '../support/tmp.ts';

/** What one run of a program took. */
export interface Cost {
  readonly seconds: number;
  /** User and system, of all its threads and children. On a busy machine it says more than `seconds`. */
  readonly cpuSeconds: number;
  /** Of the largest of its processes, all threads of it. */
  readonly peakMb: number;
}

/** Runs a command under time(1). */
export async function costOf(command: string, args: readonly string[]): Promise<Cost> {
  using tmp = temporaryDirectory('bench-time');
  const report = join(tmp.directory, 'time');
  await runChecked('/usr/bin/time', [
    '--format=%e %U %S %M',
    `--output=${report}`,
    command,
    ...args,
  ]);
  const numbers = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  const [seconds = NaN, user = NaN, system = NaN, peakKb = NaN] = numbers;
  return { seconds, cpuSeconds: user + system, peakMb: peakKb / 1024 };
}

/** As {@link costOf}, of several commands one after the other. */
export async function costOfScript(script: string): Promise<Cost> {
  return await costOf('sh', ['-euc', script]);
}

/** The best of several runs, each number by itself; of the memory the worst. */
export function bestOf(costs: readonly Cost[]): Cost {
  return {
    seconds: Math.min(...costs.map(({ seconds }) => seconds)),
    cpuSeconds: Math.min(...costs.map(({ cpuSeconds }) => cpuSeconds)),
    peakMb: Math.max(...costs.map(({ peakMb }) => peakMb)),
  };
}

/** For a row of a table. */
export function describeCost({ seconds, cpuSeconds, peakMb }: Cost): readonly string[] {
  return [`${seconds.toFixed(2)} s`, `CPU ${cpuSeconds.toFixed(2)} s`, `${peakMb.toFixed(0)} MB`];
}
