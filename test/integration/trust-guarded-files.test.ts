// SPDX-License-Identifier: Apache-2.0
// What root refuses to believe; needs root to make files that are not root's.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { HostRoot } from '../../src/sys/host-root.ts';
import { loadPolicy } from '../../src/trust/policy/policy-file.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { hasCode } from '../support/trust/trust-errors.ts';

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

describe('loadPolicy as root', () => {
  interface UnsafeCase {
    readonly name: string;
    readonly spoil: (root: string) => void;
    readonly message: RegExp;
  }
  const unsafe: readonly UnsafeCase[] = [
    {
      name: 'a group-writable policy',
      spoil: (root) => chmodSync(join(root, POLICY), 0o664),
      message:
        /trust policy "\/etc\/containers\/policy\.json" can be written by others than root \(mode 0664\)/,
    },
    {
      name: 'a world-writable policy',
      spoil: (root) => chmodSync(join(root, POLICY), 0o646),
      message: /mode 0646/,
    },
    {
      name: 'a policy of another user',
      spoil: (root) => chownSync(join(root, POLICY), 1000, 1000),
      message: /belongs to user 1000, not to root/,
    },
    {
      name: 'a writable directory on the way',
      spoil: (root) => chmodSync(join(root, 'etc'), 0o777),
      message: /"\/etc", on the way to trust policy/,
    },
    {
      name: 'a directory of another user on the way',
      spoil: (root) => chownSync(join(root, 'etc/containers'), 1000, 0),
      message: /"\/etc\/containers", on the way/,
    },
  ];
  for (const c of unsafe) {
    it(`a12: refuses ${c.name}`, async () => {
      using tmp = temporaryDirectory('policy');
      put(tmp.directory, POLICY);
      c.spoil(tmp.directory);
      await assert.rejects(load(tmp.directory), hasCode('UNSAFE_FILE', c.message));
    });
  }

  it('a14: refuses a link that another user made, and the way behind a link', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, '/home/bob/policy.json', REJECT);
    mkdirSync(join(tmp.directory, 'etc/containers'), { recursive: true });
    symlinkSync('/home/bob/policy.json', join(tmp.directory, POLICY));
    chownSync(join(tmp.directory, 'home/bob'), 1000, 1000);
    await assert.rejects(load(tmp.directory), hasCode('UNSAFE_FILE', /"\/home\/bob", on the way/));
  });

  const TRUST_D = '/etc/sysct/trust.d';
  const unsafeTrustD: readonly UnsafeCase[] = [
    {
      name: 'a file of trust.d that others can write',
      spoil: (root) => put(root, `${TRUST_D}/a.json`, '{"version":1,"transports":{}}', 0o666),
      message: /trust policy "\/etc\/sysct\/trust\.d\/a\.json" can be written by others/,
    },
    {
      name: 'an empty trust.d out of which others can take files',
      spoil: (root) => {
        mkdirSync(join(root, TRUST_D), { recursive: true });
        chmodSync(join(root, TRUST_D), 0o777);
      },
      message: /directory of trust policies "\/etc\/sysct\/trust\.d" can be written by others/,
    },
    {
      name: 'a trust.d of another user behind a link',
      spoil: (root) => {
        mkdirSync(join(root, 'etc/sysct'), { recursive: true });
        mkdirSync(join(root, 'srv/trust'), { recursive: true });
        chownSync(join(root, 'srv/trust'), 1000, 1000);
        symlinkSync('/srv/trust', join(root, TRUST_D));
      },
      message: /"\/srv\/trust", on the way .* belongs to user 1000/,
    },
  ];
  for (const c of unsafeTrustD) {
    it(`a12: refuses ${c.name}`, async () => {
      using tmp = temporaryDirectory('policy');
      put(tmp.directory, POLICY);
      c.spoil(tmp.directory);
      await assert.rejects(load(tmp.directory), hasCode('UNSAFE_FILE', c.message));
    });
  }

  it('allows a sticky directory on the way', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, POLICY);
    chmodSync(join(tmp.directory, 'etc'), 0o1777);
    assert.equal((await load(tmp.directory)).policy.file, POLICY);
  });

  it('only asks of a policy named with --policy that others cannot write it', async () => {
    using tmp = temporaryDirectory('policy');
    const own = put(tmp.directory, 'own.json');
    chownSync(own, 1000, 1000);
    assert.equal((await load('/', own)).policy.file, own);
    chmodSync(own, 0o666);
    await assert.rejects(load('/', own), hasCode('UNSAFE_FILE', /mode 0666/));
  });

  it('a14: refuses a key that others can write', async () => {
    using tmp = temporaryDirectory('policy');
    put(tmp.directory, POLICY);
    put(tmp.directory, '/etc/pki/key.gpg', 'key', 0o666);
    const { readKeyFile } = await load(tmp.directory);
    await assert.rejects(readKeyFile('/etc/pki/key.gpg'), hasCode('UNSAFE_FILE', /key file/));
  });
});
