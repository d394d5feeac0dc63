// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, readSync } from 'node:fs';
import { quote } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { openStored } from './open-stored.ts';
import { StoreError } from './store-error.ts';

const TRIES = 5;

/** Records are some KiB long, documents from outside at most 4 MiB. */
export const RECORD_MAX_BYTES = 16 * 1024 * 1024;

/**
 * The bytes of a file that others may replace, by rename, while it is read; of one that grows, those that it
 * had at first. Over NFS the old file is gone for its readers at once (ESTALE): then the new one is read.
 *
 * @throws StoreError STORE_DAMAGED for a longer file, and what is no file; what open(2) and read(2) throw.
 */
export function readStored(path: string, maxBytes: number): Buffer {
  for (let n = 1; ; n += 1) {
    try {
      return readOnce(path, maxBytes);
    } catch (error) {
      if (!isErrno(error, 'ESTALE') || n === TRIES) throw error;
    }
  }
}

function readOnce(path: string, maxBytes: number): Buffer {
  const fd = openStored(path);
  try {
    const { size } = fstatSync(fd);
    if (size > maxBytes) {
      throw new StoreError(
        'STORE_DAMAGED',
        `reading ${quote(path)}: it has ${size} bytes, where at most ${maxBytes} can be`,
      );
    }
    const bytes = Buffer.allocUnsafe(size);
    let have = 0;
    while (have < size) {
      const got = readSync(fd, bytes, have, size - have, have);
      if (got === 0) break;
      have += got;
    }
    return bytes.subarray(0, have);
  } finally {
    closeSync(fd);
  }
}
