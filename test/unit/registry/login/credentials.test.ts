// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findInAuthFile,
  parseAuthFile,
  parseCredsOption,
} from '../../../../src/registry/login/credentials.ts';
import { RegistryError } from '../../../../src/registry/http/registry-error.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const entry = (user: string): { auth: string } => ({ auth: b64(`${user}:pw`) });

/** The user that the file has for a repository, or how else it answers. */
function find(content: object, repository: string): string | undefined {
  const file = parseAuthFile(JSON.stringify(content), '/a.json', 'auths');
  const found = findInAuthFile(file, repository);
  if (found === undefined) return undefined;
  if (found.kind === 'helper') return `helper ${found.helper} for ${found.registry}`;
  return found.credential.kind === 'password' ? found.credential.username : found.credential.token;
}

describe('findInAuthFile', () => {
  const auths = {
    'r.example': entry('host'),
    'r.example/ns': entry('ns'),
    'r.example/ns/repo': entry('repo'),
    'r.example:5000': entry('port'),
  };
  const cases: readonly [
    name: string,
    content: object,
    repository: string,
    user: string | undefined,
  ][] = [
    ['the host', { auths }, 'r.example/other/x', 'host'],
    ['the longest path', { auths }, 'r.example/ns/repo', 'repo'],
    ['a parent path', { auths }, 'r.example/ns/sub/repo', 'ns'],
    ['whole path components only', { auths }, 'r.example/nsx/repo', 'host'],
    ['the port as part of the host', { auths }, 'r.example:5000/x', 'port'],
    ['no other port', { auths }, 'r.example:5001/x', undefined],
    [
      'a26: no login of a part of the host for another part',
      { auths: { 'r.example/ns': entry('ns') } },
      'r.example/other/x',
      undefined,
    ],
    [
      'a26: no login of a part of the host for the host itself',
      { auths: { 'r.example/ns': entry('ns') } },
      'r.example',
      undefined,
    ],
    ['a26: no host that only looks like it', { auths }, 'r.example.evil/x', undefined],
    [
      'a key that is a URL',
      { auths: { 'https://r.example/v1/': entry('url') } },
      'r.example/x',
      'url',
    ],
    [
      'a key with a scheme and port',
      { auths: { 'http://r.example:5000': entry('url') } },
      'r.example:5000/x',
      'url',
    ],
    [
      'docker.io under the old index name',
      { auths: { 'https://index.docker.io/v1/': entry('hub') } },
      'docker.io/library/x',
      'hub',
    ],
    [
      'registry-1.docker.io as docker.io',
      { auths: { 'registry-1.docker.io': entry('hub') } },
      'docker.io/library/x',
      'hub',
    ],
    [
      'an exact host before a URL',
      { auths: { 'https://r.example': entry('url'), ...auths } },
      'r.example/x',
      'host',
    ],
    ['an empty entry as none', { auths: { 'r.example': {} } }, 'r.example/x', undefined],
    [
      'an identity token',
      { auths: { 'r.example': { auth: b64('u:'), identitytoken: 'tok' } } },
      'r.example/x',
      'tok',
    ],
    [
      'a helper before an entry',
      { auths, credHelpers: { 'r.example': 'pass' } },
      'r.example/ns/repo',
      'helper pass for r.example',
    ],
    ['nothing in an empty file', {}, 'r.example/x', undefined],
    ['nothing under names of Object', {}, 'constructor/x', undefined],
  ];
  for (const [name, content, repository, user] of cases) {
    it(`finds ${name}`, () => assert.equal(find(content, repository), user));
  }

  it('takes a password with colons and drops trailing NULs', () => {
    const file = parseAuthFile(
      JSON.stringify({ auths: { 'r.example': { auth: b64('u:p:w\0\0') } } }),
      '/a.json',
      'auths',
    );
    assert.deepEqual(findInAuthFile(file, 'r.example'), {
      kind: 'credential',
      credential: { kind: 'password', username: 'u', password: 'p:w' },
    });
  });

  it('reads the old .dockercfg', () => {
    const file = parseAuthFile(JSON.stringify({ 'r.example': entry('old') }), '/d', 'dockercfg');
    assert.equal(findInAuthFile(file, 'r.example/x')?.kind, 'credential');
  });

  const broken: readonly [name: string, content: unknown][] = [
    ['no JSON', '{'],
    ['no object', []],
    ['auths that are a list', { auths: [] }],
    ['an entry that is text', { auths: { 'r.example': 'secret' } }],
    ['an auth without a colon', { auths: { 'r.example': { auth: b64('secret') } } }],
    ['an auth that is no base64', { auths: { 'r.example': { auth: 'secret!' } } }],
    ['an auth that is a number', { auths: { 'r.example': { auth: 1 } } }],
    ['a helper that is a number', { credHelpers: { 'r.example': 1 } }],
  ];
  for (const [name, content] of broken) {
    it(`refuses ${name} without quoting it`, () => {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      assert.throws(
        () => findInAuthFile(parseAuthFile(text, '/a.json', 'auths'), 'r.example/x'),
        (error) =>
          error instanceof RegistryError &&
          error.code === 'CONFIG' &&
          error.message.startsWith('/a.json') &&
          !/secret|c2Vj/.test(error.message + (error.hint ?? '')),
      );
    });
  }
});

describe('parseCredsOption', () => {
  it('splits at the first colon', () => {
    assert.deepEqual(parseCredsOption('u:p:w'), {
      kind: 'password',
      username: 'u',
      password: 'p:w',
    });
    assert.deepEqual(parseCredsOption('u'), { kind: 'password', username: 'u', password: '' });
  });
  it('refuses an empty user without quoting the password', () => {
    assert.throws(
      () => parseCredsOption(':secret'),
      (error: Error) => !error.message.includes('secret'),
    );
  });
});
