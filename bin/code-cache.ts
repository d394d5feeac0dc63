// SPDX-License-Identifier: Apache-2.0
// Run by the built runtime: code-cache.ts LIB writes LIB/program.cache. It holds the functions that a small
// verb needs, because V8 compiles functions when they are first called.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Script } from 'node:vm';

interface LoadedProgram {
  readonly runProgram: (argv: readonly string[]) => Promise<number>;
  readonly script: Script;
}

const lib = resolve(process.argv[2] ?? '.');
const load = createRequire(import.meta.url);
const { runProgram, script } = load(join(lib, 'load-program.cjs')) as LoadedProgram;
const emptyRoot = mkdtempSync(join(tmpdir(), 'sysct-cache-'));
try {
  const exitCode = await runProgram(['list', '--root', emptyRoot]);
  if (exitCode !== 0) throw new Error(`list ended with ${exitCode}`);
} finally {
  rmSync(emptyRoot, { recursive: true });
}
writeFileSync(join(lib, 'program.cache'), script.createCachedData());
