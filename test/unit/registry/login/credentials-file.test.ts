// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { createCredentialSource } from '../../../../src/registry/login/credentials-file.ts';
import type { Credential } from '../../../../src/registry/login/credentials.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const auth = (user: string, host = 'r.example'): string =>
  JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${user}:pw`).toString('base64') } } });
const helperConfig = (name: string): string =>
  JSON.stringify({ credHelpers: { 'r.example': name } });

interface Case {
  readonly files?: Readonly<Record<string, string>>;
  /** Paths in values start at the temporary directory. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly authfile?: string;
  readonly helpers?: readonly string[];
  readonly offlineRoot?: boolean;
  readonly repository?: string;
  readonly worldWritable?: string;
}

async function find(given: Case): Promise<{ found: string | undefined; warnings: string[] }> {
  using tmp = temporaryDirectory('credentials');
  for (const [path, text] of Object.entries(given.files ?? {})) {
    const file = join(tmp.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: text.startsWith('#!') ? 0o755 : 0o600 });
    if (path === given.worldWritable) chmodSync(file, 0o666);
  }
  const env = Object.entries(given.env ?? {}).map(([name, path]) => [name, tmp.directory + path]);
  const warnings: string[] = [];
  const source = createCredentialSource({
    root: new HostRoot(given.offlineRoot === true ? tmp.directory : '/'),
    env: { PATH: `${tmp.directory}/bin:/usr/bin:/bin`, ...Object.fromEntries(env) },
    // No uid's files are at hand in /run: tests must not read what this machine has.
    uid: given.uid ?? 4_000_000_000,
    authfile: given.authfile === undefined ? undefined : join(tmp.directory, given.authfile),
    credentialHelpers: given.helpers ?? ['containers-auth.json'],
    log: { debug: () => {}, info: () => {}, warn: (line) => warnings.push(line) },
  });
  const credential = await source.find(
    given.repository ?? 'r.example/x',
    new AbortController().signal,
  );
  return { found: show(credential), warnings };
}

function show(credential: Credential | undefined): string | undefined {
  if (credential === undefined) return undefined;
  return credential.kind === 'password' ? credential.username : `token ${credential.token}`;
}

const HELPER = `#!/bin/sh
read registry
case "$registry" in
  r.example) echo '{"ServerURL":"r.example","Username":"helped","Secret":"s3cret"}' ;;
  token.example) echo '{"Username":"<token>","Secret":"tok"}' ;;
  odd.example) echo 's3cret' ;;
  fails.example) echo 'keyring is locked'; exit 1 ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`;

describe('createCredentialSource', () => {
  const cases: readonly (Case & {
    readonly name: string;
    readonly expected: string | undefined;
  })[] = [
    {
      name: 'the session before the user',
      files: {
        'run/containers/auth.json': auth('session'),
        'home/.config/containers/auth.json': auth('user'),
      },
      env: { XDG_RUNTIME_DIR: '/run', HOME: '/home' },
      expected: 'session',
    },
    {
      name: 'the next file where the first does not know the registry',
      files: {
        'run/containers/auth.json': auth('session', 'other.example'),
        'home/.config/containers/auth.json': auth('user'),
      },
      env: { XDG_RUNTIME_DIR: '/run', HOME: '/home' },
      expected: 'user',
    },
    {
      name: '$XDG_CONFIG_HOME before ~/.config',
      files: {
        'xdg/containers/auth.json': auth('xdg'),
        'home/.config/containers/auth.json': auth('user'),
      },
      env: { XDG_CONFIG_HOME: '/xdg', HOME: '/home' },
      expected: 'xdg',
    },
    {
      name: "docker's file",
      files: { 'home/.docker/config.json': auth('docker') },
      env: { HOME: '/home' },
      expected: 'docker',
    },
    {
      name: '$DOCKER_CONFIG before ~/.docker',
      files: { 'd/config.json': auth('variable'), 'home/.docker/config.json': auth('docker') },
      env: { DOCKER_CONFIG: '/d', HOME: '/home' },
      expected: 'variable',
    },
    {
      name: 'the old ~/.dockercfg',
      files: {
        'home/.dockercfg': JSON.stringify({
          'r.example': { auth: Buffer.from('old:pw').toString('base64') },
        }),
      },
      env: { HOME: '/home' },
      expected: 'old',
    },
    {
      name: '$REGISTRY_AUTH_FILE alone',
      files: {
        'a.json': auth('variable', 'other.example'),
        'home/.docker/config.json': auth('docker'),
      },
      env: { REGISTRY_AUTH_FILE: '/a.json', HOME: '/home' },
      expected: undefined,
    },
    {
      name: '--authfile before $REGISTRY_AUTH_FILE',
      files: { 'a.json': auth('variable'), 'b.json': auth('option') },
      env: { REGISTRY_AUTH_FILE: '/a.json' },
      authfile: 'b.json',
      expected: 'option',
    },
    {
      name: "systemd's credential before the files",
      files: { 'creds/sysct.auth': auth('systemd'), 'home/.docker/config.json': auth('docker') },
      env: { CREDENTIALS_DIRECTORY: '/creds', HOME: '/home' },
      expected: 'systemd',
    },
    {
      name: 'only /etc/sysct/auth.json in an offline root',
      files: { 'etc/sysct/auth.json': auth('offline'), 'home/.docker/config.json': auth('docker') },
      env: { HOME: '/home' },
      offlineRoot: true,
      expected: 'offline',
    },
    {
      name: 'what a helper of the file says',
      files: {
        'home/.docker/config.json': helperConfig('test'),
        'bin/docker-credential-test': HELPER,
      },
      env: { HOME: '/home' },
      expected: 'helped',
    },
    {
      name: "an identity token from registries.conf's helper",
      files: { 'bin/docker-credential-test': HELPER },
      helpers: ['test'],
      repository: 'token.example/x',
      expected: 'token tok',
    },
    {
      name: 'the files after a helper that knows nothing',
      files: {
        'bin/docker-credential-test': HELPER,
        'home/.docker/config.json': auth('docker', 'new.example'),
      },
      env: { HOME: '/home' },
      helpers: ['test', 'containers-auth.json'],
      repository: 'new.example/x',
      expected: 'docker',
    },
    { name: 'nothing anywhere', expected: undefined },
  ];
  for (const { name, expected, ...given } of cases) {
    it(`finds ${name}`, async () => assert.equal((await find(given)).found, expected));
  }

  it('a12: passes over a file that others may write, as root, with a warning', async () => {
    const path = 'home/.docker/config.json';
    const { found, warnings } = await find({
      files: { [path]: auth('planted') },
      env: { HOME: '/home', XDG_RUNTIME_DIR: '/run' },
      uid: 0,
      worldWritable: path,
    });
    assert.equal(found, undefined);
    assert.match(warnings.join(), /home\/.docker\/config.json: not read/);
  });

  const refused: readonly (Case & { readonly name: string; readonly message: RegExp })[] = [
    {
      name: 'an --authfile that does not exist',
      authfile: 'none.json',
      message: /there is no such file/,
    },
    {
      name: 'a damaged file',
      files: { 'home/.docker/config.json': '{' },
      env: { HOME: '/home' },
      message: /config.json:1:/,
    },
    {
      name: 'a helper that is not installed',
      files: { 'home/.docker/config.json': helperConfig('absent-one') },
      env: { HOME: '/home' },
      message: /docker-credential-absent-one/,
    },
    {
      name: 'a helper whose name is a path',
      files: { 'home/.docker/config.json': helperConfig('../../bin/sh') },
      env: { HOME: '/home' },
      message: /not a plain name/,
    },
    {
      name: 'a helper that fails',
      files: { 'bin/docker-credential-test': HELPER },
      helpers: ['test'],
      repository: 'fails.example/x',
      message: /exited with 1: keyring is locked/,
    },
    {
      name: 'a helper that answers something else, without quoting it',
      files: { 'bin/docker-credential-test': HELPER },
      helpers: ['test'],
      repository: 'odd.example/x',
      message:
        /^asking docker-credential-test for odd.example: its answer is not JSON with Username and Secret$/,
    },
  ];
  for (const { name, message, ...given } of refused) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(find(given), { code: 'CONFIG', message });
    });
  }
});
