// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';

/**
 * Makes a directory, 0700, in one that exists; returns false where it is there already. Node's own
 * recursive mkdir says ENOENT where the file system said EROFS or ENOSPC.
 */
export function ensureDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}
