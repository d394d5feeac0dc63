// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveImageUser } from '../../../src/launch/image-user.ts';

const FILES = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\n# comment\nbad line\nweb:x:33:34::/var/www:/bin/false\n1000:x:7:8::relative:/\n',
  group: 'root:x:0:\nweb:x:34:\nlogs:x:40:a,web,b\nmore:x:34:web\n',
};

describe('resolveImageUser', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['', { uid: 0, gid: 0 }, '/root'],
    ['root', { uid: 0, gid: 0 }, '/root'],
    ['web', { uid: 33, gid: 34, additionalGids: [40] }, '/var/www'],
    ['33', { uid: 33, gid: 34, additionalGids: [40] }, '/var/www'],
    ['web:logs', { uid: 33, gid: 40 }, '/var/www'],
    ['web:99', { uid: 33, gid: 99 }, '/var/www'],
    ['99', { uid: 99, gid: 0 }, '/'],
    ['99:web', { uid: 99, gid: 34 }, '/'],
    ['1000', { uid: 7, gid: 8 }, '/'],
    [':web', { uid: 0, gid: 34 }, '/root'],
  ];
  for (const [text, user, home] of cases) {
    it(`takes ${JSON.stringify(text)} for ${JSON.stringify(user)}`, () => {
      assert.deepEqual(resolveImageUser(text, FILES), { user, home });
    });
  }

  for (const text of ['nobody', 'web:nogroup', '4294967295', '-1', '1e3', '99999999999']) {
    it(`refuses ${text}`, () => {
      assert.throws(() => resolveImageUser(text, FILES), { code: 'USER_NOT_FOUND' });
    });
  }

  it('needs no files for root and for numbers', () => {
    const none = { passwd: undefined, group: undefined };
    assert.deepEqual(resolveImageUser('', none).user, { uid: 0, gid: 0 });
    assert.deepEqual(resolveImageUser('5:6', none).user, { uid: 5, gid: 6 });
  });
});
