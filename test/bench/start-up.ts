// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { temporaryDirectory } from '../support/tmp.ts';
import { printRow } from './print-row.ts';

const ROUNDS = 40;

/** How long the small verbs take, beside `podman --version`; the best of many, taken in turn. */
export async function measureStartUp(): Promise<void> {
  using root = temporaryDirectory('bench');
  const podman = { command: 'podman', args: ['--version'] };
  const version = { command: 'dist/sysct', args: ['--version'] };
  const list = { command: 'dist/sysct', args: ['list', '--root', root.directory] };
  const bestMs = new Map([podman, version, list].map((run) => [run, Infinity]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [run, best] of bestMs) {
      const since = performance.now();
      execFileSync(run.command, run.args, { stdio: ['ignore', 'ignore', 'inherit'] });
      bestMs.set(run, Math.min(best, performance.now() - since));
    }
  }
  const of = (run: typeof podman): number => bestMs.get(run) ?? NaN;
  const ms = (run: typeof podman): string => `${of(run).toFixed(1)} ms`;
  printRow('podman --version', [ms(podman)]);
  printRow('sysct --version', [ms(version), ratio(of(version) / of(podman), 1.5)]);
  printRow('sysct list', [ms(list), ratio(of(list) / of(podman), 2)]);
}

function ratio(value: number, promised: number): string {
  return `${value.toFixed(2)} times podman (promised: at most ${promised})`;
}
