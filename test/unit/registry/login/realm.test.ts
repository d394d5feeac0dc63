// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSameOrganisation, parseRealm } from '../../../../src/registry/login/realm.ts';

const HTTPS = new URL('https://registry.example:5000');
const HTTP = new URL('http://registry.example:5000');

describe('parseRealm', () => {
  it('takes https, and http for a registry on http', () => {
    assert.equal(
      parseRealm('https://auth.example/token?a=b#frag', HTTPS).href,
      'https://auth.example/token?a=b',
    );
    assert.equal(parseRealm('http://auth.example/token', HTTP).href, 'http://auth.example/token');
  });
  const refused: readonly [name: string, realm: string | undefined, registry: URL][] = [
    ['no realm', undefined, HTTPS],
    ['a word', 'basic-realm', HTTPS],
    ['a23: http where the registry has https', 'http://auth.example/token', HTTPS],
    ['another scheme', 'file:///etc/shadow', HTTPS],
    ['another scheme on http', 'ftp://auth.example/', HTTP],
    ['a user in the URL', 'https://user:pw@auth.example/', HTTPS],
  ];
  for (const [name, realm, registry] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parseRealm(realm, registry),
        (error: Error & { code?: string }) =>
          error.code === 'TOKEN_SERVER_REFUSED' && !error.message.includes('pw'),
      );
    });
  }
});

describe('isSameOrganisation', () => {
  const cases: readonly [registry: string, token: string, same: boolean][] = [
    ['quay.io', 'quay.io', true],
    ['Quay.io', 'quay.IO', true],
    ['registry-1.docker.io', 'auth.docker.io', true],
    ['registry.gitlab.com', 'gitlab.com', true],
    ['registry.cn-hangzhou.aliyuncs.com', 'dockerauth.cn-hangzhou.aliyuncs.com', true],
    ['registry.corp.co.uk', 'auth.corp.co.uk', true],
    ['registry.corp.co.uk', 'auth.evil.co.uk', false],
    ['quay.io', 'evil.io', false],
    ['registry.example', 'auth.example', false],
    ['docker.io', 'docker.io.evil.example', false],
    ['localhost', 'localhost', true],
    ['registry', 'auth', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '11.0.0.1', false],
    ['[::1]', '[::1]', true],
    ['[::1]', '127.0.0.1', false],
  ];
  for (const [registry, token, same] of cases) {
    it(`${same ? 'lets' : 'does not let'} ${token} have the login of ${registry}`, () => {
      assert.equal(isSameOrganisation(registry, token), same);
    });
  }
});
