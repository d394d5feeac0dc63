// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { knownSignatures } from '../../../../src/container/record/known-signatures.ts';

const [IMAGE, INDEX, BLOB] = [sha256('image'), sha256('index'), sha256('signature')];

describe('knownSignatures', () => {
  it('has a signature once that was found twice', () => {
    const own = { digest: BLOB, source: 'a' };
    const named = { digest: BLOB, source: 'b', manifestDigest: IMAGE };
    assert.deepEqual(knownSignatures(IMAGE, [own], [named]), [named]);
  });

  it('keeps the signature of the image that somebody also put beside its index', () => {
    const own = { digest: BLOB, source: 'a' };
    const ofIndex = { digest: BLOB, source: 'b', manifestDigest: INDEX };
    assert.deepEqual(knownSignatures(IMAGE, [own, ofIndex]), [own, ofIndex]);
  });
});
