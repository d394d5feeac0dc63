// SPDX-License-Identifier: Apache-2.0
// Collects the garbage of a store again and again, until its stdin is closed; says how often it did.
//
//     node collect-here.ts STORE
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/store.ts';

/** Runs `use` while another process collects without end. Returns how many collections it did. */
export async function besideCollections(store: string, use: () => Promise<void>): Promise<number> {
  const child = spawn(process.execPath, [import.meta.filename, store], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const said = text(child.stdout);
  try {
    await use();
  } finally {
    child.stdin.end();
  }
  assert.equal(await ended, 0);
  return Number(await said);
}

async function collectWithoutEnd(directory: string): Promise<void> {
  const store = await openStore(directory, { log: silentLog });
  const ending = new AbortController();
  process.stdin.on('end', () => ending.abort()).resume();
  const { signal } = new AbortController();
  let times = 0;
  for (; !ending.signal.aborted; times += 1) {
    await setImmediate();
    await store.collectGarbage({ mode: 'remove', leftovers: 'old', now: new Date(), signal });
  }
  process.stdout.write(`${times}\n`);
}

if (process.argv[1] === import.meta.filename) await collectWithoutEnd(process.argv[2] ?? '');
