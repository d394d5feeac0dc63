// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  basicAuthorization,
  findInAuthFile,
  parseAuthFile,
} from '../../../src/registry/login/credentials.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const SECRET = Buffer.from('user:hunter2').toString('base64');
const SEEDS = [
  { auths: { 'a.example': { auth: SECRET }, 'a.example/b': { identitytoken: 't' } } },
  { auths: { 'https://index.docker.io/v1/': { auth: SECRET } }, credHelpers: { 'b.example': 'x' } },
  { 'a.example': { auth: SECRET } },
];
const ASKED = ['a.example/b/c', 'docker.io/library/x', 'b.example/y', '__proto__/x'];

/** auth.json: no error tells a secret. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((value) => Buffer.from(JSON.stringify(value))),
  maxLength: 1024,
  run: (input) => {
    const text = input.toString('utf8');
    for (const format of ['auths', 'dockercfg'] as const) {
      const file = unlessRefused(
        () => discreet(() => parseAuthFile(text, '/run/auth.json', format)),
        'RegistryError',
      );
      if (file === undefined) continue;
      for (const repository of ASKED) {
        const found = unlessRefused(
          () => discreet(() => findInAuthFile(file, repository)),
          'RegistryError',
        );
        if (found?.kind !== 'credential' || found.credential.kind !== 'password') continue;
        const { username, password } = found.credential;
        assert.match(basicAuthorization(username, password), /^Basic [A-Za-z0-9+/=]+$/);
      }
    }
  },
};

function discreet<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    assert.ok(!(error instanceof Error && error.message.includes(SECRET)), 'it tells the secret');
    throw error;
  }
}
