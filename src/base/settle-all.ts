// SPDX-License-Identifier: Apache-2.0

/**
 * As Promise.all, but waits for every one, so that nothing goes on behind a failure, and fails with the first in the order
 * given, whichever was first in time.
 */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
