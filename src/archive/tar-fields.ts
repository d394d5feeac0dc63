// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';

const NUL = 0x00;
const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** The bytes of a text field up to the first NUL. */
export function textField(block: Buffer, start: number, length: number): ByteString {
  let end = start;
  while (end < start + length && block[end] !== NUL) end += 1;
  return block.toString('latin1', start, end) as ByteString;
}

/**
 * A number field: octal digits with spaces or NULs around them (all blank is 0), or, with the high
 * bit of the first byte set, a big-endian two's complement number, as GNU tar writes large ones.
 * @throws ArchiveError `BAD_HEADER` for anything else, and beyond 2^53.
 */
export function numberField(block: Buffer, start: number, length: number, what: string): number {
  const first = block[start] ?? 0;
  if (first >= 0x80) return binaryNumber(block.subarray(start, start + length), what);
  const end = start + length;
  let at = start;
  while (at < end && isBlank(block[at])) at += 1;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = block[at] ?? 0;
    if (digit < ZERO || digit > SEVEN) break;
    value = value * 8 + (digit - ZERO);
  }
  while (at < end && isBlank(block[at])) at += 1;
  if (at < end) throw new ArchiveError('BAD_HEADER', `the ${what} is not an octal number`);
  return value;
}

/** {@link numberField}, not below zero. */
export function countField(block: Buffer, start: number, length: number, what: string): number {
  const value = numberField(block, start, length, what);
  if (value < 0) throw new ArchiveError('BAD_HEADER', `the ${what} is negative`);
  return value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === NUL;
}

function binaryNumber(field: Buffer, what: string): number {
  const bits = BigInt(field.length * 8 - 1);
  // The highest bit only marks the form; the one below it is the sign.
  const magnitude = BigInt.asUintN(Number(bits), BigInt(`0x${field.toString('hex')}`));
  const value = Number(BigInt.asIntN(Number(bits), magnitude));
  if (!Number.isSafeInteger(value)) {
    throw new ArchiveError('BAD_HEADER', `the ${what} is beyond what can be counted`);
  }
  return value;
}
