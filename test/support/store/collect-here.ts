// SPDX-License-Identifier: Apache-2.0
// Collects the garbage of a store again and again, until its stdin is closed; prints a dot for each time.
//
//     node collect-here.ts STORE
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { silentLog } from '../../../src/base/log.ts';
import { openStore } from '../../../src/store/store.ts';

/** Runs `use` while another process collects without end. Returns how many collections it did. */
export async function besideCollections(store: string, use: () => Promise<void>): Promise<number> {
  const child = spawn(process.execPath, [import.meta.filename, store], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let said = '';
  child.stdout.on('data', (dots: Buffer) => (said += dots.toString()));
  try {
    await Promise.race([once(child.stdout, 'data'), ended]);
    await use();
  } finally {
    child.stdin.end();
  }
  assert.deepEqual(await ended, [0, null]);
  return said.length;
}

async function collectWithoutEnd(directory: string): Promise<void> {
  const store = await openStore(directory, { log: silentLog });
  const ending = new AbortController();
  process.stdin.on('end', () => ending.abort()).resume();
  const { signal } = new AbortController();
  while (!ending.signal.aborted) {
    await setImmediate();
    await store.collectGarbage({ mode: 'remove', leftovers: 'old', now: new Date(), signal });
    process.stdout.write('.');
  }
}

if (process.argv[1] === import.meta.filename) await collectWithoutEnd(process.argv[2] ?? '');
