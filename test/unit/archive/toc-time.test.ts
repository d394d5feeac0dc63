// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tocTime } from '../../../src/archive/toc-time.ts';

describe('a time of a table of contents', () => {
  const times: readonly (readonly [text: string, seconds: number, nanoseconds?: number])[] = [
    ['1970-01-01T00:00:00Z', 0],
    ['2026-11-21T05:06:07Z', 1_795_237_567],
    ['1969-12-31T23:59:59Z', -1],
    ['1969-12-31T23:59:58.5Z', -2, 500_000_000],
    ['2024-02-29T00:00:00.123456789Z', 1_709_164_800, 123_456_789],
    ['2024-02-29T00:00:00.000000001Z', 1_709_164_800, 1],
    ['2024-02-29T02:30:00+02:30', 1_709_164_800],
    ['2024-02-28T14:00:00.25-10:00', 1_709_164_800, 250_000_000],
    ['0001-01-01T00:00:00Z', -62_135_596_800],
    ['0099-01-01T00:00:00Z', -59_042_995_200],
    ['9999-12-31T23:59:59Z', 253_402_300_799],
  ];
  for (const [text, seconds, nanoseconds = 0] of times) {
    it(`is read to the nanosecond: ${text}`, () => {
      assert.deepEqual(tocTime(text), { seconds, nanoseconds });
    });
  }

  const none = [
    ...[undefined, null, 0, 1_700_000_000, '', 'now', '2024-02-29', '2024-02-29T00:00:00'],
    ...['2024-02-30T00:00:00Z', '2023-02-29T00:00:00Z', '2024-13-01T00:00:00Z'],
    ...['2024-01-01T24:00:00Z', '2024-01-01T00:60:00Z', '2016-12-31T23:59:60Z'],
    ...['2024-01-01T00:00:00.Z', '2024-01-01T00:00:00.1234567890Z', '2024-01-01T00:00:00+24:00'],
    ...['2024-01-01T00:00:00+00:60', '2024-01-01T00:00:00z', ' 2024-01-01T00:00:00Z'],
    ...['+12024-01-01T00:00:00Z', '2024-01-01T00:00:00Z\n'],
  ];
  for (const value of none) {
    it(`is none: ${JSON.stringify(value)}`, () => assert.equal(tocTime(value), undefined));
  }
});
