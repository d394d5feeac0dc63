// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';

/** The names in a directory, in no order; none where it is missing: a store's directories are made when they are first needed. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
