// SPDX-License-Identifier: Apache-2.0
// An image that knows nothing of system containers: Entrypoint, Cmd, Env, User, Volumes, StopSignal.
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildImage } from '../support/image/image-builder.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import {
  eventually,
  processOf,
  unitProperties,
  untilNothingMounted,
} from '../support/host/on-host.ts';
import { sysct, SYSCT_BIND, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';

const SOURCE = 'oci-archive:/srv/plain';
const GET = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'`;

let host: Host;
let files: () => HostFiles;
let running: RunningHost;
let filesBefore: HostFiles;

before(async () => {
  host = await createHost();
  files = hostFilesOf(host.root);
  writePolicy(host.root, ['/srv']);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  copyFileSync(await buildImage('plain'), join(host.root, 'srv/plain'));
  running = await host.start({ bindReadOnly: [SYSCT_BIND] });
  filesBefore = files();
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
});

for (const launcher of ['runc', 'chroot'] as const) {
  describe(`a plain image, by ${launcher}`, () => {
    before(async () => {
      const install = ['install', '--system', '--now', '--launcher', launcher, '--name', 'plain'];
      if (launcher === 'chroot') {
        const refused = await sysct(running, [...install, SOURCE]);
        assert.match(refused.stderr, /this host has no user 1234/);
        appendFileSync(join(host.root, 'etc/passwd'), 'web:x:1234:1235::/:/bin/sh\n');
        appendFileSync(join(host.root, 'etc/group'), 'web:x:1235:\n');
        filesBefore = files();
      }
      await sysctChecked(running, [...install, SOURCE]);
    });

    it('runs its Entrypoint and Cmd', async () => {
      assert.match(await eventually(running, GET), /^plain image$/m);
    });

    it('runs as its User, without capabilities and without new privileges', async () => {
      const pid = await processOf(running, 'plain.service', 'httpd');
      const status = await running.script(`cat /proc/${pid}/status`);
      assert.match(status, /^Uid:\s+1234\s+1234\s+1234\s+1234$/m);
      assert.match(status, /^Gid:\s+1235\s+1235\s+1235\s+1235$/m);
      assert.match(status, /^CapEff:\s+0+$/m);
      assert.match(status, /^CapBnd:\s+0+$/m);
      assert.match(status, /^NoNewPrivs:\s+1$/m);
    });

    it('has its Env, and its WorkingDir for current directory', async () => {
      const pid = await processOf(running, 'plain.service', 'httpd');
      const env = await running.script(`tr '\\0' '\\n' < /proc/${pid}/environ`);
      assert.match(env, /^GREETING=hello there$/m);
      assert.equal(await running.script(`readlink /proc/${pid}/cwd`), '/www\n');
    });

    it('keeps its volume in a state directory of its user', async () => {
      const state = statSync(join(host.root, 'var/lib/plain/data'));
      assert.deepEqual([state.uid, state.gid], [1234, 1235]);
      const { stderr } = await sysctChecked(running, ['exec', 'plain', 'touch', '/data/kept']);
      assert.equal(stderr, '');
      assert.equal(statSync(join(host.root, 'var/lib/plain/data/kept')).uid, 1234);
    });

    it('cannot write to its root', async () => {
      const { exitCode, stderr } = await sysct(running, ['exec', 'plain', 'touch', '/www/x']);
      assert.equal(exitCode, 1);
      assert.match(stderr, /Read-only file system/);
    });

    it('is stopped by its StopSignal, in the time that a drop-in of the admin gives it', async () => {
      const dropIns = '/run/systemd/system/plain.service.d';
      await running.script(`mkdir -p ${dropIns}
        printf '[Service]\\nTimeoutStopSec=1\\n' > ${dropIns}/fast.conf
        systemctl daemon-reload`);
      const properties = await unitProperties(running, 'plain.service', [
        'KillSignal',
        'TimeoutStopUSec',
      ]);
      assert.deepEqual(properties, { KillSignal: '2', TimeoutStopUSec: '1s' });
      await sysctChecked(running, ['stop', 'plain']);
      // As PID 1 of a namespace of its own this httpd gets no signal that it has no handler for.
      const { ActiveState: state } = await unitProperties(running, 'plain.service', [
        'ActiveState',
      ]);
      assert.equal(state, launcher === 'runc' ? 'failed' : 'inactive');
    });

    it('is uninstalled without a trace', async () => {
      await sysctChecked(running, ['uninstall', '--purge', 'plain']);
      assert.deepEqual(changesBetween(filesBefore, files()), []);
    });
  });
}

describe('a plain image, run once', () => {
  it('runs a command in its root and leaves nothing', async () => {
    const command = ['run', SOURCE, 'sh', '-c', 'cat /www/index.html; id -u; pwd; exit 7'];
    const { exitCode, stdout } = await sysct(running, command);
    assert.equal(stdout, 'plain image\n1234\n/www\n');
    assert.equal(exitCode, 7);
    assert.deepEqual(changesBetween(filesBefore, files()), []);
    assert.equal(await running.script('runc list --quiet'), '');
    await untilNothingMounted(running);
    assert.equal(await running.script('ls -d /run/sysct/run-* 2>/dev/null || true'), '');
  });
});

describe('the settings of a host', () => {
  it('choose the container daemons that everything starts before', async () => {
    mkdirSync(join(host.root, 'etc/sysct'), { recursive: true });
    writeFileSync(join(host.root, 'etc/sysct/sysct.toml'), 'before = ["my-daemon.service"]\n');
    const { stdout } = await sysctChecked(running, ['install', '--display', '--name', 'p', SOURCE]);
    assert.match(stdout, /^Before=.*my-daemon\.service/m);
    assert.doesNotMatch(stdout, /containerd/);
  });
});
