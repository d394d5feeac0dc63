// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteStringOf } from '../../../../src/base/byte-string.ts';
import { SeenPaths } from '../../../../src/store/layer/seen-paths.ts';

describe('SeenPaths', () => {
  for (const count of [10, 65_536, 65_537, 80_000]) {
    it(`lets each of ${count} paths come once`, () => {
      const seen = new SeenPaths();
      const paths = Array.from({ length: count }, (_, n) => byteStringOf(`usr/share/ö${n}`));
      assert.ok(paths.every((path) => seen.claim(path)));
      assert.ok(paths.every((path) => !seen.claim(path)));
    });
  }
});
