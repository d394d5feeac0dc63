// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readHostFacts } from '../../../src/launch/host-facts.ts';
import { findRuntime } from '../../../src/launch/oci-runtime.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const never = new AbortController().signal;
const here = new HostRoot('/');

describe('findRuntime', () => {
  it('asks the program who it is', async () => {
    const runc = await findRuntime(here, '/usr/bin/runc', never);
    assert.equal(runc.kind, 'runc');
    assert.match(runc.version, /^runc version \d/);
    assert.equal((await findRuntime(here, '/usr/bin/crun', never)).kind, 'crun');
    assert.equal((await findRuntime(here, '/bin/ls', never)).kind, 'other');
    assert.match((await findRuntime(here, undefined, never)).path, /^\/usr\/s?bin\/runc$/);
  });

  it('refuses what is not there, is no program, or does not run', async () => {
    for (const path of ['/nowhere/runc', 'runc', '/etc/passwd', '/etc', '/bin/false']) {
      await assert.rejects(findRuntime(here, path, never), { code: 'RUNTIME_MISSING' });
    }
  });

  it('looks inside an offline root, also for one that cannot run here', async () => {
    using tmp = temporaryDirectory('root');
    const host = new HostRoot(tmp.directory);
    await assert.rejects(findRuntime(host, undefined, never), { code: 'RUNTIME_MISSING' });
    mkdirSync(join(tmp.directory, 'usr/sbin'), { recursive: true });
    writeFileSync(join(tmp.directory, 'usr/sbin/crun-1'), 'for another machine', { mode: 0o755 });
    symlinkSync('/usr/sbin/crun-1', join(tmp.directory, 'usr/sbin/crun'));
    assert.deepEqual(await findRuntime(host, undefined, never), {
      path: '/usr/sbin/crun',
      kind: 'crun',
      version: '',
    });
  });
});

describe('readHostFacts', () => {
  it('knows the running host', async () => {
    const facts = await readHostFacts(here, never);
    assert.ok(facts.capabilities.has('CAP_CHOWN'));
    assert.ok(facts.uids.has(0) && facts.gids.has(0));
    assert.ok((facts.systemdVersion ?? 0) >= 247);
  });

  it('reads an offline root by its files', async () => {
    using tmp = temporaryDirectory('root');
    const write = (path: string, text: string): void => {
      mkdirSync(join(tmp.directory, path, '..'), { recursive: true });
      writeFileSync(join(tmp.directory, path), text);
    };
    write('etc/selinux/config', '# x\nSELINUX=enforcing\n');
    write('etc/passwd', 'root:x:0:0::/:\nweb:x:33:34::/:\nbroken\n');
    write('usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.so', '');
    const facts = await readHostFacts(new HostRoot(tmp.directory), never);
    assert.equal(facts.selinuxEnabled, true);
    assert.equal(facts.systemdVersion, 257);
    assert.equal(facts.capabilities.size, 41);
    assert.deepEqual([...facts.uids], [0, 33]);
    assert.deepEqual([...facts.gids], []);
  });

  it('knows nothing of an empty root, and says so', async () => {
    using tmp = temporaryDirectory('root');
    const facts = await readHostFacts(new HostRoot(tmp.directory), never);
    assert.equal(facts.selinuxEnabled, false);
    assert.equal(facts.systemdVersion, undefined);
  });
});
