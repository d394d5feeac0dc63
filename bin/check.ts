// SPDX-License-Identifier: Apache-2.0
// Everything that can be said about the project in half a minute: format, lint, types, dead code, and the
// unit tests (the rules of dependency are one of them) with their coverage.
import { join } from 'node:path';
import { runProcess } from '../src/sys/process.ts';

interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

process.chdir(join(import.meta.dirname, '..'));
const BIN = 'node_modules';
const STEPS: readonly Step[] = [
  { name: 'unit tests', args: ['bin/unit-coverage.ts'] },
  { name: 'types', args: [`${BIN}/typescript/bin/tsc`, '--project', '.'] },
  {
    name: 'format',
    args: [
      ...[`${BIN}/prettier/bin/prettier.cjs`, '--check', '--log-level=warn'],
      ...['--cache', '--cache-location=.cache/prettier', '.'],
    ],
  },
  { name: 'lint', args: [`${BIN}/oxlint/bin/oxlint`, '--type-aware', '--quiet'] },
  { name: 'dead code', args: [`${BIN}/knip/bin/knip.js`] },
];

const started = performance.now();
const failed = (await Promise.all([lane(0), lane(1)])).flat();
process.stdout.write(
  `${failed.length === 0 ? 'all good' : `failed: ${failed.join(', ')}`} after ${seconds(started)}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

// The unit tests take half of the time, so they have a lane of their own.
async function lane(number: number): Promise<readonly string[]> {
  const bad: string[] = [];
  for (const step of number === 0 ? STEPS.slice(0, 1) : STEPS.slice(1)) {
    const since = performance.now();
    const { exitCode, stdout, stderr } = await runProcess(process.execPath, step.args);
    const good = exitCode === 0;
    process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${step.name} (${seconds(since)})\n`);
    if (good) continue;
    process.stdout.write(stdout);
    process.stdout.write(stderr);
    bad.push(step.name);
  }
  return bad;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
