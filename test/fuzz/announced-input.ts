// SPDX-License-Identifier: Apache-2.0
// The input that a process is about to run, in a file, for another process to find when it does not come back.
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface AnnouncedInput {
  /** How many were announced before it. */
  readonly count: number;
  readonly input: Buffer;
}

const HEAD_BYTES = 8;

/** @returns what writes the next one over the last */
export function announceTo(path: string): (input: Buffer) => void {
  const file = openSync(path, 'w');
  const head = Buffer.alloc(HEAD_BYTES);
  let count = 0;
  return (input) => {
    head.writeUInt32LE(count, 0);
    head.writeUInt32LE(input.length, 4);
    writeSync(file, Buffer.concat([head, input]), 0, HEAD_BYTES + input.length, 0);
    count = (count + 1) >>> 0;
  };
}

/** @returns undefined before the first one */
export function readAnnounced(path: string): AnnouncedInput | undefined {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  if (bytes.length < HEAD_BYTES) return undefined;
  const length = bytes.readUInt32LE(4);
  return { count: bytes.readUInt32LE(0), input: bytes.subarray(HEAD_BYTES, HEAD_BYTES + length) };
}
