// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { xxh32 } from '../../../../src/store/erofs/xxh32.ts';

describe('xxh32', () => {
  const cases = [
    ['', 0, 0x02cc5d05],
    ['a', 0, 0x550d7456],
    ['abc', 0, 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0, 0xe2293b2f],
  ] as const;
  for (const [text, seed, expected] of cases) {
    it(`of ${JSON.stringify(text)} is ${expected.toString(16)}`, () => {
      assert.equal(xxh32(Buffer.from(text), seed), expected);
    });
  }
});
