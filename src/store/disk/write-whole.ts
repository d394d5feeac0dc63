// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';

/**
 * Writes all of `bytes`; write(2) may take fewer at a time.
 * @param position in the file; that of `fd` when absent.
 */
export function writeWhole(fd: number, bytes: Uint8Array, position?: number): void {
  for (let written = 0; written < bytes.length;) {
    const at = position === undefined ? null : position + written;
    written += writeSync(fd, bytes, written, bytes.length - written, at);
  }
}
