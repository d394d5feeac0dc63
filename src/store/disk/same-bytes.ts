// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, readSync } from 'node:fs';
import { openStored } from './open-stored.ts';

const CHUNK_BYTES = 256 * 1024;

/** Whether two files, both there, have the same bytes. */
export function haveSameBytes(one: string, other: string): boolean {
  const [first, second] = [openStored(one), openStored(other)];
  try {
    const { size } = fstatSync(first);
    if (size !== fstatSync(second).size) return false;
    const [left, right] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (let at = 0; at < size;) {
      const count = readSync(first, left, 0, CHUNK_BYTES, at);
      if (count === 0 || !isAt(second, at, left.subarray(0, count), right)) return false;
      at += count;
    }
    return true;
  } finally {
    closeSync(first);
    closeSync(second);
  }
}

function isAt(fd: number, position: number, bytes: Buffer, scratch: Buffer): boolean {
  for (let have = 0; have < bytes.length;) {
    const got = readSync(fd, scratch, have, bytes.length - have, position + have);
    if (got === 0) return false;
    have += got;
  }
  return scratch.subarray(0, bytes.length).equals(bytes);
}
