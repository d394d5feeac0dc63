// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextHop } from '../../../../src/registry/http/redirect.ts';

const FROM = new URL('https://r.example/v2/x/blobs/d');

describe('nextHop', () => {
  it('resolves absolute and relative locations', () => {
    assert.equal(nextHop(FROM, 'https://cdn.example/b?sig=1').href, 'https://cdn.example/b?sig=1');
    assert.equal(nextHop(FROM, '/other').href, 'https://r.example/other');
    assert.equal(nextHop(FROM, '//cdn.example/b').href, 'https://cdn.example/b');
    assert.equal(nextHop(new URL('http://r.example/'), 'https://r.example/').protocol, 'https:');
  });
  const refused: readonly [name: string, location: string | undefined, code: string][] = [
    ['no location', undefined, 'PROTOCOL'],
    ['a location that is no URL', 'https://', 'PROTOCOL'],
    ['a24: the step from https to http', 'http://r.example/x', 'REDIRECT_REFUSED'],
    ['a24: another scheme', 'file:///etc/shadow', 'REDIRECT_REFUSED'],
    ['a24: a password that somebody else chose', 'https://u:p@cdn.example/', 'REDIRECT_REFUSED'],
  ];
  for (const [name, location, code] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => nextHop(FROM, location), { code }));
  }
});
