// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { quote } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { StoreError } from './store-error.ts';

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file of a store for reading. Stores hold nothing but regular files under the names that are read: a
 * FIFO or a device that somebody put there would hold the reader for ever, or never end.
 *
 * @throws StoreError STORE_DAMAGED for what is no regular file; what open(2) throws.
 */
export function openStored(path: string): number {
  const fd = openAny(path);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw noFile(path);
}

function openAny(path: string): number {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    // A symbolic link; a socket, or a device that is not there.
    if (isErrno(error, 'ELOOP', 'ENXIO')) throw noFile(path, error);
    throw error;
  }
}

function noFile(path: string, cause?: unknown): StoreError {
  return new StoreError('STORE_DAMAGED', `reading ${quote(path)}: it is no regular file`, {
    cause,
    hint: 'see who put it there',
  });
}
