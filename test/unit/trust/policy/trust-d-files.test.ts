// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { loadPolicy } from '../../../../src/trust/policy/policy-file.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const POLICY = '/etc/containers/policy.json';
const TRUST_D = '/etc/sysct/trust.d';
const own = (scope: string) =>
  JSON.stringify({
    version: 1,
    transports: { docker: { [scope]: { admit: [{ type: 'reject' }] } } },
  });

function put(root: string, path: string, text: string): string {
  const real = join(root, path);
  mkdirSync(dirname(real), { recursive: true, mode: 0o755 });
  writeFileSync(real, text);
  chmodSync(real, 0o644);
  return real;
}

interface Named {
  readonly override?: string;
  readonly trustDirectory?: string;
}

/** A root with a policy, and trust.d with `a.json`. */
function makeRoot(root: string): void {
  put(root, POLICY, '{"default":[{"type":"reject"}]}');
  put(root, `${TRUST_D}/a.json`, own('a.b'));
}

async function load(root: string, named: Named = {}) {
  return (await loadPolicy({ host: new HostRoot(root), env: {}, ...named })).policy.trustD;
}

describe('loadPolicy with trust.d', () => {
  it('reads every .json of /etc/sysct/trust.d inside the root, by name', async () => {
    using tmp = temporaryDirectory('trust-d');
    makeRoot(tmp.directory);
    put(tmp.directory, `${TRUST_D}/00.json`, own('c.d'));
    put(tmp.directory, `${TRUST_D}/b.json.old`, 'not read');
    put(tmp.directory, `${TRUST_D}/.hidden.json`, 'not read');
    put(tmp.directory, `${TRUST_D}/README`, 'not read');
    const trustD = await load(tmp.directory);
    assert.deepEqual(trustD?.files, [`${TRUST_D}/00.json`, `${TRUST_D}/a.json`]);
    assert.equal(trustD.transports.get('docker')?.get('a.b')?.file, `${TRUST_D}/a.json`);
  });

  it('goes without where there is no such directory', async () => {
    using tmp = temporaryDirectory('trust-d');
    put(tmp.directory, POLICY, '{"default":[{"type":"reject"}]}');
    assert.equal(await load(tmp.directory), undefined);
  });

  it('reads none with a policy that is named alone', async () => {
    using tmp = temporaryDirectory('trust-d');
    makeRoot(tmp.directory);
    const override = join(tmp.directory, POLICY);
    assert.equal(await load(tmp.directory, { override }), undefined);
  });

  it('reads a named directory in its place, with or without a named policy', async () => {
    using tmp = temporaryDirectory('trust-d');
    makeRoot(tmp.directory);
    const file = put(tmp.directory, 'drafts/x.json', own('e.f'));
    const trustDirectory = dirname(file);
    assert.deepEqual((await load(tmp.directory, { trustDirectory }))?.files, [file]);
    const override = join(tmp.directory, POLICY);
    assert.deepEqual((await load('/', { trustDirectory, override }))?.files, [file]);
  });

  it('fails where the directory is a link to nowhere', async () => {
    using tmp = temporaryDirectory('trust-d');
    put(tmp.directory, POLICY, '{"default":[{"type":"reject"}]}');
    mkdirSync(join(tmp.directory, dirname(TRUST_D)), { recursive: true });
    symlinkSync('/mnt/not-mounted', join(tmp.directory, TRUST_D));
    const unreadable = hasCode('UNREADABLE_FILE', /directory of trust policies .*ENOENT/);
    await assert.rejects(load(tmp.directory), unreadable);
  });

  interface BadCase {
    readonly name: string;
    readonly spoil: (root: string) => void;
    readonly code: 'UNREADABLE_FILE' | 'INVALID_POLICY';
    readonly message: RegExp;
    readonly named?: (root: string) => Named;
  }
  const bad: readonly BadCase[] = [
    {
      name: 'a file that does not parse',
      spoil: (root) => put(root, `${TRUST_D}/b.json`, '{}'),
      code: 'INVALID_POLICY',
      message: /^\/etc\/sysct\/trust\.d\/b\.json:1:1: version is missing/,
    },
    {
      name: 'what is no UTF-8',
      spoil: (root) => writeFileSync(join(root, TRUST_D, 'b.json'), Buffer.from([0x7b, 0xff])),
      code: 'INVALID_POLICY',
      message: /b\.json: is not UTF-8/,
    },
    {
      name: 'a link to nowhere: what it would ask for is not known',
      spoil: (root) => symlinkSync('/gone.json', join(root, TRUST_D, 'b.json')),
      code: 'UNREADABLE_FILE',
      message: /"\/etc\/sysct\/trust\.d\/b\.json" leads to no file/,
    },
    {
      name: 'a directory that is called like a file',
      spoil: (root) => mkdirSync(join(root, TRUST_D, 'b.json')),
      code: 'UNREADABLE_FILE',
      message: /is not a regular file/,
    },
    {
      name: 'a file that is too long',
      spoil: (root) => truncateSync(put(root, `${TRUST_D}/b.json`, ''), 5 * 1024 * 1024),
      code: 'UNREADABLE_FILE',
      message: /more than 4194304/,
    },
    {
      name: 'a file in place of the directory',
      spoil: () => {},
      named: (root) => ({ trustDirectory: join(root, TRUST_D, 'a.json') }),
      code: 'UNREADABLE_FILE',
      message: /reading directory of trust policies ".*a\.json": ENOTDIR/,
    },
    {
      name: 'a named directory that is not there',
      spoil: () => {},
      named: (root) => ({ trustDirectory: join(root, 'gone') }),
      code: 'UNREADABLE_FILE',
      message: /--trust-dir ".*\/gone" does not exist/,
    },
    {
      name: 'more files than anybody writes',
      spoil: (root) => {
        for (let n = 0; n < 1000; n += 1) put(root, `${TRUST_D}/n${n}.json`, '');
      },
      code: 'UNREADABLE_FILE',
      message: /has 1001 files, more than 1000/,
    },
  ];
  for (const { name, spoil, code, message, named } of bad) {
    it(`refuses ${name}`, async () => {
      using tmp = temporaryDirectory('trust-d');
      makeRoot(tmp.directory);
      spoil(tmp.directory);
      await assert.rejects(load(tmp.directory, named?.(tmp.directory)), hasCode(code, message));
    });
  }
});
