// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';

const SPACE = 0x20;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const NUL = 0x00;
const ZERO = 0x30;
const NINE = 0x39;

/** Where the value of one record lies; it may hold any byte. */
export interface PaxRecord {
  readonly block: Buffer;
  readonly key: ByteString;
  readonly start: number;
  readonly end: number;
}

/**
 * Calls `visit` for each `LENGTH KEY=VALUE\n` of a PAX block (POSIX.1-2001 pax, extended header), in
 * order. LENGTH counts itself and the newline.
 * @throws ArchiveError `BAD_PAX`
 */
export function parsePaxRecords(block: Buffer, visit: (record: PaxRecord) => void): void {
  for (let at = 0; at < block.length;) {
    let keyStart = at;
    let length = 0;
    for (; length <= block.length; keyStart += 1) {
      const byte = block[keyStart] ?? NUL;
      if (byte < ZERO || byte > NINE) break;
      length = length * 10 + (byte - ZERO);
    }
    const end = at + length;
    const isWhole = block[keyStart] === SPACE && end <= block.length && block[end - 1] === NEWLINE;
    if (!isWhole) throw new ArchiveError('BAD_PAX', 'a record does not have the length it says');
    keyStart += 1;
    const keyEnd = endOfKey(block, keyStart, end);
    const key = block.toString('latin1', keyStart, keyEnd) as ByteString;
    visit({ block, key, start: keyEnd + 1, end: end - 1 });
    at = end;
  }
}

function endOfKey(block: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && block[at] !== EQUALS) {
    if (block[at] === NUL) throw new ArchiveError('BAD_PAX', 'a key has a NUL byte');
    at += 1;
  }
  if (at === start || at >= end) throw new ArchiveError('BAD_PAX', 'a record has no key');
  return at;
}
