// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { isSameOrganisation, parseRealm } from '../../../src/registry/login/realm.ts';
import { nextHop } from '../../../src/registry/http/redirect.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const REGISTRY = new URL('https://registry.example:5000/v2/');
const SEEDS = [
  'https://auth.registry.example/token?a=b#c',
  'http://169.254.169.254/latest',
  '//other.example/x',
  '/v2/a/blobs/x',
  'https://user:pass@registry.example/',
  'https://registry.example.evil.example/',
  'HTTPS:\\\\registry.example\\',
  'https://[::ffff:127.0.0.1]/',
  'file:///etc/passwd',
];

/** URLs that a registry sends us to: its token server, and redirects. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  maxLength: 256,
  run: (input) => {
    const text = input.toString('utf8');
    for (const url of [
      unlessRefused(() => parseRealm(text, REGISTRY), 'RegistryError'),
      unlessRefused(() => nextHop(REGISTRY, text), 'RegistryError'),
    ]) {
      if (url === undefined) continue;
      assert.equal(url.protocol, 'https:');
      assert.equal(`${url.username}${url.password}`, '');
      if (isSameOrganisation(REGISTRY.hostname, url.hostname)) {
        assert.match(url.hostname, /^(?:.*\.)?registry\.example\.?$/);
      }
    }
  },
};
