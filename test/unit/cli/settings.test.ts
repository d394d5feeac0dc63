// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settingsFrom } from '../../../src/cli/settings.ts';

describe('the setting additional-stores', () => {
  it('names directories, in their order', () => {
    const document = { 'additional-stores': ['/srv/a/', '/usr//lib/b'] };
    assert.deepEqual(settingsFrom(document, 'sysct.toml').additionalStores, [
      { path: '/srv/a', origin: 'named' },
      { path: '/usr/lib/b', origin: 'named' },
    ]);
    assert.deepEqual(settingsFrom({ 'additional-stores': [] }, 'x').additionalStores, []);
  });

  for (const [what, value, seen] of [
    ['one path', '/srv/a', /"additional-stores" is not a list of paths/],
    ['a relative path', ['srv/a'], /"additional-stores" is not an absolute path: "srv\/a"/],
    ['what is no text', [1], /"additional-stores" is not a text/],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.throws(() => settingsFrom({ 'additional-stores': value }, 'sysct.toml'), {
        code: 'USAGE',
        message: seen,
      });
    });
  }
});
