// SPDX-License-Identifier: Apache-2.0
// What is shipped, on a Debian with systemd and runc and nothing else.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pageName } from '../../src/cli/pages/man-page.ts';
import { VERBS } from '../../src/cli/verbs/verbs.ts';
import { runChecked } from '../../src/sys/process.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';

const ROOT = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};

describe('the tarball, unpacked into /usr/local', () => {
  let host: Host;
  let prefix: string;

  let running: RunningHost;

  const run = async (line: string): Promise<string> => running.script(line);

  before(async () => {
    host = await createHost();
    prefix = join(host.root, 'usr/local');
    const tarball = `dist/sysct-${version}-linux-${process.arch}.tar.gz`;
    await runChecked('tar', ['-C', prefix, '-xzf', join(ROOT, tarball)]);
    running = await host.start();
  });

  after(async () => {
    await host?.[Symbol.asyncDispose]();
  });

  it('runs where no Node is', async () => {
    await assert.rejects(run('command -v node'));
    assert.equal(await run('sysct --version'), `sysct version ${version}\n`);
    assert.match(await run('sysct list'), /^NAME /);
  });

  it('runs by links from anywhere', async () => {
    symlinkSync('/usr/local/bin/sysct', join(host.root, 'usr/bin/absolute'));
    symlinkSync('../local/bin/sysct', join(host.root, 'usr/bin/relative'));
    symlinkSync('relative', join(host.root, 'usr/bin/twice'));
    for (const name of ['absolute', 'relative', 'twice']) {
      assert.equal(await run(`${name} --version`), `sysct version ${version}\n`, name);
    }
  });

  it('is not impressed by settings for other Node programs', async () => {
    const line = 'NODE_OPTIONS=--require=/nowhere.js NODE_PATH=/nowhere sysct --version';
    assert.equal(await run(line), `sysct version ${version}\n`);
  });

  it('has a man page for each verb, completion, and the licences of what is in it', () => {
    assert.deepEqual(
      readdirSync(join(prefix, 'share/man/man1')).toSorted(),
      ['sysct.1', ...VERBS.map((verb) => `${pageName(verb)}.1`)].toSorted(),
    );
    assert.equal(
      globSync('share/{bash-completion,zsh,fish}/**/*sysct*', { cwd: prefix }).length,
      3,
    );
    const licences = readFileSync(join(prefix, 'share/doc/sysct/LICENSES-of-packages'), 'utf8');
    for (const name of ['commander', 'dbus-next', 'undici', 'yaml']) {
      assert.match(licences, new RegExp(`^${name} [0-9.]+ \\(`, 'm'));
    }
    assert.ok(globSync('lib/sysct/node_modules/openpgp/LICENSE', { cwd: prefix }).length === 1);
  });

  it('belongs to root and can be written by nobody else', async () => {
    const odd = String.raw`\( -not -user root -o -perm /022 -not -type l \)`;
    const paths = '/usr/local/bin/sysct /usr/local/lib/sysct /usr/local/share/man/man1';
    assert.equal(await run(`find ${paths} ${odd}`), '');
  });
});
