// SPDX-License-Identifier: Apache-2.0
// Fuzzing: node test/fuzz/main.ts [--seconds N] [--hang N] [--seed N] [--corpus DIR] [--keep] [TARGET...]
//
// Runs each target (all without a name) for N seconds in a process of its own, beginning with its corpus. What is found
// is printed as a line that can be put into a corpus. With --keep the corpus becomes a small one that reaches all
// that this run has reached. See docs/adr/0088-fuzzing.md.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeInput } from './corpus-file.ts';
import { readAnnounced } from './announced-input.ts';
import { FAULTY_TARGETS, TARGETS } from './targets.ts';

const HEAP_MIB = 1024;

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    // An input that keeps the process busy for so long does not come back.
    hang: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    corpus: { type: 'string', default: join(import.meta.dirname, 'corpus') },
    keep: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const hangSeconds = Number(values.hang);
const unknown = positionals.find((name) => !(name in TARGETS) && !(name in FAULTY_TARGETS));
if (unknown !== undefined) {
  console.error(`no target ${unknown}; there are ${Object.keys(TARGETS).join(', ')}`);
  process.exit(2);
}
for (const name of positionals.length === 0 ? Object.keys(TARGETS) : positionals) {
  if (!(await fuzzInChild(name))) process.exitCode = 1;
}

/** @returns whether nothing was found */
async function fuzzInChild(name: string): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'sysct-fuzz-'));
  const announced = join(directory, 'input');
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_MIB}`,
      ...[join(import.meta.dirname, 'run-target.ts'), name, values.seconds, values.seed],
      ...[values.corpus, announced, String(values.keep)],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = new Promise<{ readonly status: number | null }>((resolve) => {
    child.once('exit', (status) => resolve({ status }));
  });
  // Seconds are counted, not measured: both processes may have been stopped for a while.
  let lastCount: number | undefined;
  let still = 0;
  const watch = setInterval(() => {
    const count = readAnnounced(announced)?.count;
    // A busy machine may take long to come to the first one.
    still = count !== undefined && count === lastCount ? still + 1 : 0;
    lastCount = count;
    if (still === hangSeconds) child.kill('SIGKILL');
  }, 1000);
  const { status } = await ended;
  clearInterval(watch);
  // 0: nothing found; 1: told what. Anything else did not come back from the input that it had announced.
  if (status !== 0 && status !== 1) {
    const input = readAnnounced(announced)?.input;
    const what = still >= hangSeconds ? `hangs for ${hangSeconds} s` : 'ends the process';
    const told = input === undefined ? 'there was none yet' : encodeInput(input);
    console.error(`${name}: FOUND an input that ${what}:\n${told}`);
  }
  rmSync(directory, { recursive: true });
  return status === 0;
}
