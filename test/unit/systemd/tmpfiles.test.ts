// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { createTmpfiles, removeTmpfiles } from '../../../src/systemd/tmpfiles.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const never = new AbortController().signal;
const FILE = '/etc/tmpfiles.d/etcd.conf';

function rootWith(lines: string) {
  const tmp = temporaryDirectory('tmpfiles');
  mkdirSync(join(tmp.directory, 'etc/tmpfiles.d'), { recursive: true });
  writeFileSync(join(tmp.directory, FILE), `${lines}\n`);
  return { ...tmp, directory: tmp.directory, host: new HostRoot(tmp.directory) };
}

describe('tmpfiles of an offline root', () => {
  it('are made and removed inside it', async () => {
    using root = rootWith('d /var/lib/etcd 0700 12 13 - -\nr /var/lib/etcd/lock');
    await createTmpfiles(root.host, FILE, never);
    const stat = statSync(join(root.directory, 'var/lib/etcd'));
    assert.deepEqual([stat.mode & 0o7777, stat.uid, stat.gid], [0o700, 12, 13]);
    writeFileSync(join(root.directory, 'var/lib/etcd/lock'), '');
    await removeTmpfiles(root.host, FILE, never);
    assert.equal(existsSync(join(root.directory, 'var/lib/etcd/lock')), false);
    assert.equal(existsSync(join(root.directory, 'var/lib/etcd')), true);
  });

  it('that cannot be made are told with the reason', async () => {
    using root = rootWith('d relative 0700 0 0 - -');
    await assert.rejects(createTmpfiles(root.host, FILE, never), {
      code: 'TMPFILES_FAILED',
      message: /carrying out \/etc\/tmpfiles\.d\/etcd\.conf: .*not absolute/,
    });
  });
});
