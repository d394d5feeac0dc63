// SPDX-License-Identifier: Apache-2.0
import type { Hash } from 'node:crypto';
import { readSync } from 'node:fs';

const CHUNK_BYTES = 256 * 1024;

/** Feeds a hash the bytes from `start` to `end` of a file, or to where the file ends. */
export function hashRange(hash: Hash, fd: number, start: number, end: number): void {
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(0, end - start)));
  for (let at = start; at < end;) {
    const got = readSync(fd, chunk, 0, Math.min(chunk.length, end - at), at);
    if (got === 0) return;
    hash.update(chunk.subarray(0, got));
    at += got;
  }
}
