// SPDX-License-Identifier: Apache-2.0
// Runs the tests: npm test [-- [--name REGEXP] [PART_OF_A_PATH...]]
//
// Without arguments everything: unit, property, fuzz, integration, end to end, crash. Parts select the test
// files whose path holds one of them, for example `unit/oci` or `e2e`.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { makeRoots } from './support/host/make-roots.ts';

/** In the order of their start: those that take longest first, so that none is left over at the end. */
const KINDS = ['e2e', 'crash', 'integration', 'fuzz', 'property', 'unit'] as const;

/** They use the program as it is shipped. */
const NEED_BUILD = /^test\/(?:e2e|crash|integration)\//;
const BUILT = 'dist/sysct';
const BUILT_OF = ['{bin,src,units,docs/man}/**', 'package-lock.json', 'LICENSE'];

const FILE_TIMEOUT_MS = 30 * 60_000;

process.chdir(join(import.meta.dirname, '..'));
const { values, positionals } = parseArgs({
  options: { name: { type: 'string' } },
  allowPositionals: true,
});
const files = KINDS.flatMap((kind) => globSync(`test/${kind}/**/*.test.ts`).toSorted()).filter(
  (file) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
);
if (files.length === 0) {
  console.error(`no test file has ${positionals.join(' or ')} in its path`);
  process.exit(2);
}
if (files.some((file) => NEED_BUILD.test(file)) && !isBuilt()) {
  const build = spawnSync(process.execPath, ['bin/build.ts'], { stdio: ['ignore', 2, 2] });
  if (build.status !== 0) process.exit(1);
}

if (positionals.length === 0) await makeRoots();
const results = run({
  files,
  concurrency: 2,
  timeout: FILE_TIMEOUT_MS,
  ...(values.name === undefined ? {} : { testNamePatterns: [new RegExp(values.name)] }),
});
results.on('test:fail', () => {
  process.exitCode = 1;
});
results.compose(spec()).pipe(process.stdout);

/** Whether what the program is made of, directories included, is older than the start of the last build. */
function isBuilt(): boolean {
  if (!existsSync(BUILT)) return false;
  const { mtimeMs } = statSync(BUILT);
  return globSync(BUILT_OF).every((path) => statSync(path).mtimeMs < mtimeMs);
}
