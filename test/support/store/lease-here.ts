// SPDX-License-Identifier: Apache-2.0
// The program that tests kill: takes a lease on an image and holds it until it is killed.
//
//     node lease-here.ts STORE REFERENCE
import { type ChildProcess, spawn } from 'node:child_process';
import { silentLog } from '../../../src/base/log.ts';
import { openStore } from '../../../src/store/store.ts';

/** Starts it; resolves when it holds the lease. */
export async function startLease(store: string, reference: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [import.meta.filename, store, reference], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

if (process.argv[1] === import.meta.filename) {
  const [directory = '', reference = ''] = process.argv.slice(2);
  const store = await openStore(directory, { log: silentLog });
  using lease = await store.lease(store.findImage(reference), new AbortController().signal);
  process.stdout.write(`${lease.image.treeId}\n`);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
