// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, 'import-here.ts');

/** An import in a process of its own: {@link ./import-here.ts}. */
export interface Importer {
  readonly child: ChildProcess;
  /** Resolves when the import is about to start. */
  readonly begun: Promise<void>;
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export function startImport(store: string, reference: string): Importer {
  const child = spawn(process.execPath, [PROGRAM, store, reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const begun = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('exit', (code, killed) => resolve(code ?? killed));
  });
  return { child, begun, ended };
}
