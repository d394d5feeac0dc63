// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { offlineEnabler } from '../../../src/systemd/offline-root.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const never = new AbortController().signal;
const WANTS = '/etc/systemd/system/multi-user.target.wants/etcd.service';
const ETCD =
  '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=db.service\n';

function rootWith(units: Readonly<Record<string, string>>) {
  const tmp = temporaryDirectory('root');
  mkdirSync(join(tmp.directory, 'etc/systemd/system'), { recursive: true });
  mkdirSync(join(tmp.directory, 'usr/lib/systemd/system'), { recursive: true });
  for (const [path, text] of Object.entries(units)) {
    writeFileSync(join(tmp.directory, path), text);
  }
  const enabler = offlineEnabler(new HostRoot(tmp.directory));
  return { ...tmp, enabler, directory: tmp.directory };
}

describe('offlineEnabler', () => {
  it('makes the links and takes them back, and leaves no empty directory', async () => {
    using root = rootWith({ 'etc/systemd/system/etcd.service': ETCD });
    const made = await root.enabler.enable(['etcd.service'], never);
    assert.deepEqual(
      made.map(({ path }) => path),
      ['/etc/systemd/system/db.service', WANTS],
    );
    assert.equal(readlinkSync(join(root.directory, WANTS)), '/etc/systemd/system/etcd.service');
    assert.deepEqual(await root.enabler.enable(['etcd.service'], never), []);
    const gone = await root.enabler.disable(['etcd.service'], never);
    assert.deepEqual(
      gone.map(({ kind, path }) => [kind, path]),
      [
        ['unlink', WANTS],
        ['unlink', '/etc/systemd/system/db.service'],
      ],
    );
    assert.equal(existsSync(join(root.directory, WANTS, '..')), false);
  });

  it('enables units of the vendor and those that they name in Also=', async () => {
    using root = rootWith({
      'usr/lib/systemd/system/a.service': '[Install]\nAlso=a.socket\n[Service]\nExecStart=/a\n',
      'usr/lib/systemd/system/a.socket': '[Socket]\n[Install]\nWantedBy=sockets.target\n',
    });
    const made = await root.enabler.enable(['a.service'], never);
    assert.deepEqual(made, [
      {
        kind: 'symlink',
        path: '/etc/systemd/system/sockets.target.wants/a.socket',
        target: '/usr/lib/systemd/system/a.socket',
      },
    ]);
    assert.equal((await root.enabler.disable(['a.service'], never)).length, 1);
  });

  it('disables a unit whose file is gone', async () => {
    using root = rootWith({ 'etc/systemd/system/etcd.service': ETCD });
    mkdirSync(join(root.directory, WANTS, '..'));
    symlinkSync('/gone', join(root.directory, WANTS.replace('etcd', 'old')));
    assert.equal((await root.enabler.disable(['old.service'], never)).length, 1);
  });

  it('refuses unknown and masked units, and links of others', async () => {
    using root = rootWith({
      'etc/systemd/system/etcd.service': ETCD,
      'etc/systemd/system/db.service': '[Service]\nExecStart=/db\n',
    });
    symlinkSync('/dev/null', join(root.directory, 'etc/systemd/system/off.service'));
    for (const [unit, code] of [
      ['nowhere.service', 'UNIT_NOT_FOUND'],
      ['off.service', 'UNIT_MASKED'],
      ['etcd.service', 'ENABLE_CONFLICT'],
    ] as const) {
      await assert.rejects(root.enabler.enable([unit], never), { code });
    }
    assert.equal(existsSync(join(root.directory, WANTS)), false);
  });
});
