// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { DigestTable } from '../../../../src/store/collect/digest-table.ts';

const COUNT = 5000;
const digests = Buffer.concat(
  Array.from({ length: COUNT }, (_, n) => createHash('sha256').update(String(n)).digest()),
);

describe('a table of digests', () => {
  for (const expected of [0, COUNT]) {
    it(`numbers them as they come, once each, when ${expected} are expected`, () => {
      const table = new DigestTable(expected);
      for (let n = 0; n < COUNT; n += 2) assert.equal(table.add(digests, n * 32), n / 2);
      for (let n = 0; n < COUNT; n += 2) assert.equal(table.add(digests, n * 32), n / 2);
      for (let n = 0; n < COUNT; n += 1) {
        assert.equal(table.find(digests, n * 32), n % 2 === 0 ? n / 2 : -1);
      }
      assert.equal(table.size, COUNT / 2);
    });
  }
});
