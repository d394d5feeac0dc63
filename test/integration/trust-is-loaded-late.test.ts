// SPDX-License-Identifier: Apache-2.0
// What verbs load that verify nothing: no policy, no signatures, and none of the packages that these need.
import assert from 'node:assert/strict';
import { mkdirSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { runProcess } from '../../src/sys/process.ts';
import { writePolicy } from '../support/trust/site-policy.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const HOOKS = join(import.meta.dirname, '../support/host/loaded-modules.mjs');

const tmp = temporaryDirectory('late');
const root = tmp.directory;

before(async () => {
  writePolicy(root, [join(root, 'srv')]);
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  copyFileSync('/usr/sbin/runc', join(root, 'usr/bin/runc'));
  const files = [{ name: 'x', mode: 0o755, content: 'x' }];
  await writeSmallImage(join(root, 'srv/app'), '1', { layers: [files], config: { Cmd: ['/x'] } });
  await loadedBy('install', '--quiet', '--name', 'app', `oci:${join(root, 'srv/app')}`);
});

after(() => {
  tmp[Symbol.dispose]();
});

/** The modules of sysct, as `trust/evaluate.ts`, and the packages that a run loads. */
async function loadedBy(verb: string, ...args: readonly string[]): Promise<readonly string[]> {
  const list = join(root, `loaded-${verb}`);
  const flags = ['--import', HOOKS, MAIN, verb, '--root', root];
  const { exitCode, stderr } = await runProcess(process.execPath, [...flags, ...args], {
    env: { ...process.env, LOADED_MODULES: list },
  });
  assert.equal(exitCode, 0, stderr);
  const urls = readFileSync(list, 'utf8').trim().split('\n');
  return urls.map((url) => url.replace(/^.*\/node_modules\//, '').replace(/^.*\/src\//, ''));
}

/** Words for verdicts that are recorded: no more of the trust room is needed to show one. */
const WORDS = /^trust\/verdict\/(describe-verdict|trust-error)\.ts$/;
const HEAVY = /^(trust\/|registry\/|image\/trust-gate|(openpgp|undici|yaml|@sigstore)\/)/;

const CASES: readonly (readonly [verb: string, ...args: readonly string[]])[] = [
  ['list'],
  ['images'],
  ['inspect', 'app'],
  ['df'],
  ['gc', '--dry-run'],
  ['uninstall', '--purge', 'app'],
];

for (const [verb, ...args] of CASES) {
  it(`sysct ${verb} loads nothing of what verifies`, async () => {
    const loaded = await loadedBy(verb, ...args);
    assert.ok(loaded.includes('cli/main.ts'));
    assert.deepEqual(
      loaded.filter((module) => HEAVY.test(module) && !WORDS.test(module)),
      [],
    );
  });
}

it('sysct verify loads it, so that this would be seen', async () => {
  const loaded = await loadedBy('verify', `oci:${join(root, 'srv/app')}`);
  assert.ok(loaded.includes('trust/evaluate.ts'));
});
