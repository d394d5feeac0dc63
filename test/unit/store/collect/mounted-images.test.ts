// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowerLayers } from '../../../../src/store/collect/mounted-images.ts';

describe('the lower directories of an overlay', () => {
  const cases: readonly [string, readonly string[], readonly string[]][] = [
    ['one after the other', ['ro', 'lowerdir=/m:/s/objects'], ['/m', '/s/objects']],
    ['data-only', ['lowerdir=/m::/s/objects'], ['/m', '/s/objects']],
    ['each an option', ['lowerdir+=/m', 'datadir+=/s/objects'], ['/m', '/s/objects']],
    ['each an option, with a colon', ['lowerdir+=/m', 'datadir+=/a:b'], ['/m', '/a:b']],
    ['with a colon in a name', ['lowerdir=/m:/a\\134:b/objects'], ['/m', '/a:b/objects']],
    ['with a space in a name', ['lowerdir=/m\\040n:/s'], ['/m n', '/s']],
    ['none', ['rw', 'upperdir=/u'], []],
  ];
  for (const [what, superOptions, wanted] of cases) {
    it(`are found: ${what}`, () => assert.deepEqual(lowerLayers({ superOptions }), wanted));
  }
});
