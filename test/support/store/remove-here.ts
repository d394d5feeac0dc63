// SPDX-License-Identifier: Apache-2.0
// The program that tests kill: removes an image, or collects the garbage of a store.
//
//     node remove-here.ts STORE [REFERENCE]
import { silentLog } from '../../../src/base/log.ts';
import { openStore } from '../../../src/store/store.ts';

/** The line that runs it. */
export function removeLine(store: string, reference?: string): readonly string[] {
  const what = reference === undefined ? [] : [reference];
  return [process.execPath, import.meta.filename, store, ...what];
}

if (process.argv[1] === import.meta.filename) {
  const [directory = '', reference] = process.argv.slice(2);
  const store = await openStore(directory, { log: silentLog });
  const { signal } = new AbortController();
  const now = new Date();
  if (reference === undefined) {
    await store.collectGarbage({ mode: 'remove', leftovers: 'old', now, signal });
  } else {
    await store.removeImages([store.findImage(reference)], now, signal);
  }
}
