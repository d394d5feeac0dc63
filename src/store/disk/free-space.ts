// SPDX-License-Identifier: Apache-2.0
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { quote } from '../../base/printable.ts';
import { formatSize } from '../../base/size.ts';
import { StoreError } from './store-error.ts';

export interface MissingSpace {
  readonly neededBytes: number;
  readonly freeBytes: number;
}

/**
 * What a file system has too little of; undefined where it has enough.
 * @param directory of the store; need not exist, its nearest existing parent counts then.
 */
export function missingSpace(directory: string, neededBytes: number): MissingSpace | undefined {
  const free = freeBytes(directory);
  return free >= neededBytes ? undefined : { neededBytes, freeBytes: free };
}

/** @param garbageBytes what a collection would free. */
export function noSpace(
  directory: string,
  { neededBytes, freeBytes }: MissingSpace,
  garbageBytes: number,
): StoreError {
  const seen = `at least ${formatSize(neededBytes)} are needed, ${formatSize(freeBytes)} are free`;
  const hint =
    garbageBytes > 0
      ? `run sysct gc: it frees ${formatSize(garbageBytes)}`
      : 'free some space there, remove images with sysct rmi, or move the store to a larger file system';
  return new StoreError('NO_SPACE', `preparing store ${quote(directory)}: ${seen}`, { hint });
}

/** What is left for use on the file system of `directory`, which need not exist: its nearest parent counts then. */
export function freeBytes(directory: string): number {
  let existing = directory;
  while (!existsSync(existing) && existing !== '/') existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}
