// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../base/sysct-error.ts';
import { syncDirectory } from './durable-file.ts';

/**
 * Makes a directory and those above it that are missing, all of `mode`; passes over what is there. Node's own
 * recursive mkdir says ENOENT where the file system said EROFS or ENOSPC, and never ends where it says ENOENT below what is there.
 *
 * @returns the topmost one that was made. @throws what the file system says
 */
export function makeDirectories(path: string, mode: number): string | undefined {
  try {
    return makeDirectory(path, mode);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
  }
  const above = makeDirectories(dirname(path), mode);
  // Tried once more and not again: /proc and autofs say ENOENT for what they do not take, whatever is above.
  const made = makeDirectory(path, mode);
  return above ?? made;
}

/** As {@link makeDirectories}; what it made outlives a power cut. */
export function makeDirectoriesDurably(path: string, mode: number): void {
  const topmost = makeDirectories(path, mode);
  if (topmost === undefined) return;
  for (let made = path; made.length >= topmost.length; made = dirname(made))
    syncDirectory(dirname(made));
}

function makeDirectory(path: string, mode: number): string | undefined {
  try {
    mkdirSync(path, { mode });
    return path;
  } catch (error) {
    if (isErrno(error, 'EEXIST') && statSync(path).isDirectory()) return undefined;
    throw error;
  }
}
