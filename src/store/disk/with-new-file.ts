// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';

/** Makes a file, which must not exist, and closes it when it is written. */
export function withNewFile<T>(path: string, mode: number, write: (fd: number) => T): T {
  const fd = openSync(path, 'wx', mode);
  try {
    return write(fd);
  } finally {
    closeSync(fd);
  }
}
