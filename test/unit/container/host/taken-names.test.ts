// SPDX-License-Identifier: Apache-2.0
// Container names with which files of the host would lose their meaning.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { hostView } from '../../../../src/container/host/host-view.ts';
import { isInstalled } from '../../../../src/container/record/installed-container.ts';
import { planPayload } from '../../../../src/container/plan/plan-payload.ts';
import { refuseTaken } from '../../../../src/container/host/refuse-taken.ts';
import { Tree } from '../../../../src/store/tree/tree.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

/** Does `use` with a root that has one file. */
function withFile(path: string, use: (host: HostRoot) => void): void {
  using tmp = temporaryDirectory('taken');
  mkdirSync(join(tmp.directory, dirname(path)), { recursive: true });
  writeFileSync(join(tmp.directory, path), '');
  use(new HostRoot(tmp.directory));
}

describe('a container name', () => {
  for (const [name, unit] of [
    ['ssh', '/usr/lib/systemd/system/ssh.service'],
    ['getty@tty1', '/usr/lib/systemd/system/getty@.service'],
    ['getty@tty1', '/etc/systemd/system/getty@tty1.service'],
  ] as const) {
    it(`is not ${name} where there is ${unit} (instance taken from its template)`, () => {
      withFile(unit, (host) => {
        assert.throws(() => refuseTaken(name, host, '/nonexistent'), { code: 'UNIT_EXISTS' });
      });
    });
  }

  it('may be near to one that is taken', () => {
    withFile('/usr/lib/systemd/system/getty@.service', (host) => {
      for (const name of ['getty', 'etcd@tty1']) refuseTaken(name, host, '/nonexistent');
    });
  });

  it('is of no container where no directory can have it', () => {
    assert.equal(isInstalled('/nonexistent', 'x'), false);
    assert.equal(isInstalled('/tmp', 'x'.repeat(5000)), false);
  });

  it('is not that of a tmpfiles.d file of the host (vendor tmpfiles masked)', () => {
    const planAs = (name: string, host: HostRoot) =>
      planPayload({
        name,
        placed: [],
        tmpfilesText: 'd /var/lib/x\n',
        hasOwnTmpfiles: true,
        values: new Map(),
        service: undefined,
        systemdVersion: 252,
        host: hostView(host),
        tree: new Tree(),
        stores: ['/var/lib/sysct'],
      });
    withFile('/usr/lib/tmpfiles.d/systemd.conf', (host) => {
      assert.throws(() => planAs('systemd', host), { code: 'HOST_FILE_CONFLICT' });
      assert.equal(planAs('etcd', host).tmpfilesPath, '/etc/tmpfiles.d/etcd.conf');
    });
  });
});
