// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';

const TRIES = 5;

/**
 * The bytes of a file that others may replace, by rename, while it is read. Over NFS the old file is
 * gone for its readers at once (ESTALE): then the new one is read.
 */
export function readStored(path: string): Buffer {
  for (let n = 1; ; n += 1) {
    try {
      return readFileSync(path);
    } catch (error) {
      if (!isErrno(error, 'ESTALE') || n === TRIES) throw error;
    }
  }
}
