// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { displayBytes } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';
import type { PaxRecord } from './pax-records.ts';

/** `nanoseconds` counts up from `seconds`, also before the epoch. */
export interface PaxTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const DOT = 0x2e;
const NANOSECOND_DIGITS = 9;

/** Any bytes but NUL. @throws ArchiveError `BAD_PAX` */
export function paxText({ block, key, start, end }: PaxRecord): ByteString {
  const text = block.toString('latin1', start, end);
  if (text.includes('\0')) throw new ArchiveError('BAD_PAX', `the ${key} has a NUL byte`);
  return text as ByteString;
}

/** A decimal number without sign. @throws ArchiveError `BAD_PAX` */
export function paxCount(record: PaxRecord): number {
  return digits(record, record.start, record.end);
}

/** Decimal seconds, perhaps negative, perhaps with a fraction of which nine digits count. @throws ArchiveError `BAD_PAX` */
export function paxTime(record: PaxRecord): PaxTime {
  const { block, end } = record;
  const isNegative = block[record.start] === MINUS;
  const start = isNegative ? record.start + 1 : record.start;
  let dot = start;
  while (dot < end && block[dot] !== DOT) dot += 1;
  const seconds = digits(record, start, dot);
  const nanoseconds = dot < end ? fraction(record, dot + 1) : 0;
  if (!isNegative || (seconds === 0 && nanoseconds === 0)) return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: -seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

function digits(record: PaxRecord, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + digit(record, at);
  if (start < end && Number.isSafeInteger(value)) return value;
  throw notNumber(record);
}

function fraction(record: PaxRecord, start: number): number {
  let value = 0;
  for (let n = 0; n < NANOSECOND_DIGITS; n += 1) {
    value = value * 10 + (start + n < record.end ? digit(record, start + n) : 0);
  }
  for (let at = start + NANOSECOND_DIGITS; at < record.end; at += 1) digit(record, at);
  return value;
}

function digit(record: PaxRecord, at: number): number {
  const byte = record.block[at] ?? 0;
  if (byte < ZERO || byte > NINE) throw notNumber(record);
  return byte - ZERO;
}

function notNumber({ key }: PaxRecord): ArchiveError {
  return new ArchiveError('BAD_PAX', `the ${displayBytes(key)} is not a number`);
}
