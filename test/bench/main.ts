// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- start-up|pull]: the promises about speed, beside podman on the same machine.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { measurePull } from './pull.ts';
import { measureStartUp } from './start-up.ts';

const BENCHMARKS = { 'start-up': measureStartUp, pull: measurePull } as const;

process.chdir(join(import.meta.dirname, '../..'));
execFileSync(process.execPath, ['bin/build.ts'], { stdio: ['ignore', 2, 2] });
const wanted = process.argv.slice(2);
for (const [name, measure] of Object.entries(BENCHMARKS)) {
  if (wanted.length === 0 || wanted.includes(name)) await measure();
}
