// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';

/** Writes all of `bytes` at the position of `fd`; write(2) may take fewer at a time. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written);
  }
}
