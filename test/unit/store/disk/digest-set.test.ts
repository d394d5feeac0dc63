// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, sha256 } from '../../../../src/base/digest.ts';
import { DigestSet } from '../../../../src/store/disk/digest-set.ts';

describe('DigestSet', () => {
  const digests = Array.from({ length: 5000 }, (_, n) => sha256(String(n)));

  it('is what a Set of them is, however many come and go', () => {
    const set = new DigestSet();
    const model = new Set<Digest>();
    for (const [n, digest] of digests.entries()) {
      const other = digests[(n * 7919) % digests.length]!;
      if (n % 3 === 2) {
        assert.equal(set.delete(other), model.delete(other));
      } else {
        for (const each of [digest, other]) {
          set.add(each);
          model.add(each);
        }
      }
      assert.equal(set.has(other), model.has(other));
    }
    assert.deepEqual([...set].sort(), [...model].sort());
    for (const digest of digests) assert.equal(set.has(digest), model.has(digest));
  });

  it('tells apart digests that begin alike', () => {
    const set = new DigestSet();
    const alike = ['0', '1', '2'].map((end) => `sha256:${'ab'.repeat(31)}0${end}` as Digest);
    for (const digest of alike.slice(0, 2)) set.add(digest);
    assert.deepEqual(
      alike.map((digest) => set.has(digest)),
      [true, true, false],
    );
  });
});
