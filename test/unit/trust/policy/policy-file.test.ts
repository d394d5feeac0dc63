// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { loadPolicy } from '../../../../src/trust/policy/policy-file.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const ACCEPT = '{"default":[{"type":"insecureAcceptAnything"}]}';
const REJECT = '{"default":[{"type":"reject"}]}';
const POLICY = '/etc/containers/policy.json';

function put(root: string, path: string, text = ACCEPT, mode = 0o644): string {
  const real = join(root, path);
  mkdirSync(dirname(real), { recursive: true, mode: 0o755 });
  writeFileSync(real, text);
  chmodSync(real, mode);
  return real;
}

async function load(root: string, override?: string, env: Record<string, string> = {}) {
  return await loadPolicy({ host: new HostRoot(root), override, env });
}

describe('loadPolicy', () => {
  it('reads /etc/containers/policy.json inside the root', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, POLICY, REJECT);
    const { policy } = await load(tmp.directory);
    assert.equal(policy.file, POLICY);
    assert.deepEqual(policy.default.requirements, [{ type: 'reject' }]);
  });

  it('says what is missing when there is none, and what to write', async () => {
    using tmp = temporaryDirectory('policy');
    const failing = load(tmp.directory);
    await assert.rejects(
      failing,
      hasCode('NO_POLICY', /there is no \/etc\/containers\/policy\.json in "/),
    );
    await failing.catch((error: { hint?: string }) =>
      assert.match(error.hint ?? '', /sysct trust allow REGISTRY/),
    );
  });

  it('takes --policy from the running host, and no other file then', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, `root${POLICY}`, REJECT);
    const own = put(tmp.directory, 'own.json', ACCEPT);
    const { policy } = await load(join(tmp.directory, 'root'), own);
    assert.equal(policy.file, own);
    const missing = load(join(tmp.directory, 'root'), join(tmp.directory, 'nowhere.json'));
    await assert.rejects(missing, hasCode('NO_POLICY', /nowhere\.json/));
  });

  it('a12: root does not read the policy of $HOME, nor does anyone in an offline root', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, '/home/.config/containers/policy.json', ACCEPT);
    put(tmp.directory, `root${POLICY}`, REJECT);
    const env = { HOME: join(tmp.directory, 'home') };
    const { policy } = await load(join(tmp.directory, 'root'), undefined, env);
    assert.equal(policy.file, POLICY);
  });

  it('follows an absolute link inside the root', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, '/usr/share/policy.json', REJECT);
    mkdirSync(join(tmp.directory, 'etc/containers'), { recursive: true });
    symlinkSync('/usr/share/policy.json', join(tmp.directory, POLICY));
    assert.equal((await load(tmp.directory)).policy.default.requirements[0]?.type, 'reject');
  });

  it('refuses what is no UTF-8, and what does not parse', async () => {
    using tmp = temporaryDirectory('policy');
    const real = put(tmp.directory, POLICY);
    writeFileSync(real, Buffer.from([0x7b, 0xff, 0x7d]));
    await assert.rejects(load(tmp.directory), hasCode('INVALID_POLICY', /is not UTF-8/));
    writeFileSync(real, '{}');
    await assert.rejects(
      load(tmp.directory),
      hasCode('INVALID_POLICY', /^\/etc\/containers\/policy\.json:1:1: /),
    );
  });

  it('refuses what is no regular file, or too long', async () => {
    using tmp = temporaryDirectory('policy');
    mkdirSync(join(tmp.directory, POLICY), { recursive: true });
    await assert.rejects(load(tmp.directory), hasCode('UNREADABLE_FILE', /not a regular file/));
    const fifo = join(tmp.directory, 'fifo');
    execFileSync('mkfifo', ['-m', '644', fifo]);
    await assert.rejects(load('/', fifo), hasCode('UNREADABLE_FILE', /not a regular file/));
    const long = put(tmp.directory, 'long.json');
    truncateSync(long, 5 * 1024 * 1024);
    await assert.rejects(load('/', long), hasCode('UNREADABLE_FILE', /is 5242880 bytes long/));
    const below = load('/', join(long, 'x'));
    await assert.rejects(below, hasCode('UNREADABLE_FILE', /ENOTDIR/));
  });
});

describe('reading the key files of a policy', () => {
  it('reads them in the root of the policy', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, POLICY);
    put(tmp.directory, '/etc/pki/key.gpg', 'key');
    const { readKeyFile } = await load(tmp.directory);
    assert.equal((await readKeyFile('/etc/pki/key.gpg')).toString(), 'key');
  });

  it('reads them on the running host for a policy that was named there', async () => {
    using tmp = temporaryDirectory('policy');
    const own = put(tmp.directory, 'own.json');
    const key = put(tmp.directory, 'key.gpg', 'key');
    const { readKeyFile } = await load(join(tmp.directory, 'root'), own);
    assert.equal((await readKeyFile(key)).toString(), 'key');
  });

  it('a14: refuses a key that is too long, a missing and a relative one', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, POLICY);
    truncateSync(put(tmp.directory, '/etc/pki/long.gpg'), 1024 ** 3);
    const { readKeyFile } = await load(tmp.directory);
    await assert.rejects(
      readKeyFile('/etc/pki/long.gpg'),
      hasCode('UNREADABLE_FILE', /more than 8388608/),
    );
    await assert.rejects(
      readKeyFile('/etc/pki/none.gpg'),
      hasCode('UNREADABLE_FILE', /does not exist/),
    );
    await assert.rejects(readKeyFile('key.gpg'), hasCode('UNREADABLE_FILE', /is a relative path/));
  });
});
