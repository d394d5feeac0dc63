// SPDX-License-Identifier: Apache-2.0

/**
 * Gives the memory of a large array back at once; nobody may look at it any more. The garbage collector
 * sees a small object, and lets it wait: with a million inodes there would be tens of megabytes of them.
 */
export function giveBack(array: ArrayBufferView): void {
  if (array.buffer instanceof ArrayBuffer) array.buffer.transfer(0);
}
