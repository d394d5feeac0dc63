// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';

/** Makes a directory, exactly of `mode`, in one that exists; returns false where it is there already. */
export function ensureDirectory(path: string, mode = 0o700): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    if (mode !== 0o700) chmodSync(path, mode);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}
