// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { loadRegistriesConf } from '../../../../src/registry/configuration/registries-conf-file.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

/** Writes files that each name themselves as the search registry; tells which were read. */
function loadFrom(
  files: Readonly<Record<string, string>>,
  who: { uid?: number; env?: NodeJS.ProcessEnv } = {},
): readonly string[] {
  using tmp = temporaryDirectory('registries-conf');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tmp.directory, path)), { recursive: true });
    if (text.startsWith('->')) symlinkSync(text.slice(2), join(tmp.directory, path));
    else writeFileSync(join(tmp.directory, path), text);
  }
  const env = Object.fromEntries(
    Object.entries(who.env ?? {}).map(([name, path]) => [name, join(tmp.directory, path ?? '')]),
  );
  const conf = loadRegistriesConf({ root: new HostRoot(tmp.directory), env, uid: who.uid ?? 0 });
  return conf.files.map((file) => file.slice(tmp.directory.length));
}

describe('loadRegistriesConf', () => {
  it('reads /etc inside the root, then the drop-ins by name', () => {
    const files = loadFrom({
      'etc/containers/registries.conf': '',
      'etc/containers/registries.conf.d/b.conf': '',
      'etc/containers/registries.conf.d/a.conf': '',
      'etc/containers/registries.conf.d/ignored.txt': '[[',
    });
    assert.deepEqual(files, [
      '/etc/containers/registries.conf',
      '/etc/containers/registries.conf.d/a.conf',
      '/etc/containers/registries.conf.d/b.conf',
    ]);
  });
  it('follows an absolute link inside the root', () => {
    const files = loadFrom({ 'real.conf': '', 'etc/containers/registries.conf': '->/real.conf' });
    assert.deepEqual(files, ['/real.conf']);
  });
  it('is empty without any file', () => assert.deepEqual(loadFrom({}), []));
  it('takes the file of $CONTAINERS_REGISTRIES_CONF instead', () => {
    const files = loadFrom(
      { 'etc/containers/registries.conf': '[[', 'my.conf': '' },
      { env: { CONTAINERS_REGISTRIES_CONF: '/my.conf' } },
    );
    assert.deepEqual(files, ['/my.conf']);
  });
  it('refuses a variable that names no file', () => {
    assert.throws(() => loadFrom({}, { env: { CONTAINERS_REGISTRIES_CONF: '/none' } }), {
      code: 'CONFIG',
    });
  });
  it('a12: lets no home decide for root', () => {
    const files = loadFrom(
      { 'home/.config/containers/registries.conf': '', 'etc/containers/registries.conf': '' },
      { env: { HOME: '/home' }, uid: 0 },
    );
    assert.deepEqual(files, ['/etc/containers/registries.conf']);
  });
  it('names the file that cannot be read', () => {
    assert.throws(
      () => loadFrom({ 'etc/containers/registries.conf/x': '' }),
      /reading .*registries.conf: EISDIR/,
    );
  });
});
