// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { VERSION } from './output/version.ts';

// The commonest question is answered before anything else is loaded; `process.stdout` alone would
// load sockets and terminals.
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-v')) {
  writeSync(1, `sysct version ${VERSION}\n`);
} else {
  void main(process.argv.slice(2));
}

// No top-level await: what is shipped is CommonJS, which starts faster.
async function main(argv: readonly string[]): Promise<void> {
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(argv);
}
