// SPDX-License-Identifier: Apache-2.0
import { noProgress } from '../../../src/base/progress.ts';
import type { Digest } from '../../../src/base/digest.ts';
import { type CheckReport, checkStore } from '../../../src/store/check/check-store.ts';
import type { Store } from '../../../src/store/store.ts';

/** What `sysct fsck` finds in a store without containers. */
export async function checkHere(
  store: Store,
  how: { readonly fast: boolean; readonly generationTrees?: () => ReadonlySet<Digest> } = {
    fast: false,
  },
): Promise<CheckReport> {
  return await checkStore(store.layout, {
    generationTrees: () => new Set(),
    ...how,
    progress: noProgress,
    signal: new AbortController().signal,
  });
}
