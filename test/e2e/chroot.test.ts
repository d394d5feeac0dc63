// SPDX-License-Identifier: Apache-2.0
// The chroot launcher: systemd alone starts what is in the image, on a host of another release.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildImage } from '../support/image/image-builder.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import {
  directivesOf,
  eventually,
  unitProperties,
  untilNothingMounted,
} from '../support/host/on-host.ts';
import { SYSCT_BIND, sysctChecked, sysctOfflineChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';

let host: Host;
let files: () => HostFiles;
let filesBefore: HostFiles;

before(async () => {
  host = await createHost({ release: 'trixie' });
  files = hostFilesOf(host.root);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  writePolicy(host.root, [join(host.root, 'srv')]);
  for (const recipe of ['apache', 'module-job'] as const)
    copyFileSync(await buildImage(recipe), join(host.root, 'srv', recipe));
  filesBefore = files();
  for (const [recipe, name] of [
    ['apache', 'web'],
    ['module-job', 'module'],
  ] as const) {
    const archive = `oci-archive:${join(host.root, 'srv', recipe)}`;
    const how = ['--launcher', 'chroot', '--name', name, '--set', "GREETING=it's so me"];
    const sets = recipe === 'apache' ? how : how.slice(0, 4);
    await sysctOfflineChecked(host.root, ['install', '--system', ...sets, archive]);
  }
});

after(async () => {
  await host?.[Symbol.asyncDispose]();
});

describe('by chroot, after a reboot without sysct and without a network', () => {
  let running: RunningHost;

  before(async () => {
    running = await host.start();
  });
  after(async () => {
    await running.powerOff();
  });

  describe('an Apache of Debian 12 on Debian 13', () => {
    it('answers on loopback, and is of the release of its image', async () => {
      const get = await eventually(running, httpGet('/release.txt'));
      assert.match(get, /^HTTP\/1\.1 200 OK/);
      assert.match(get, /Apache of Debian GNU\/Linux 12/);
      assert.match(readFileSync(join(host.root, 'etc/os-release'), 'utf8'), /VERSION_ID="13"/);
    });

    it('gets the values it was installed with, quote and all', async () => {
      assert.match(await running.script(httpGet('/')), /^X-Greeting: it's so me/m);
    });

    it('executes only what is in the image', async () => {
      const exec = directivesOf(host.root, 'web.service', 'Exec');
      assert.deepEqual(exec, ['ExecStart=/usr/sbin/apache2 -DFOREGROUND']);
      const { MainPID: pid } = await unitProperties(running, 'web.service', ['MainPID']);
      const maps = await running.script(`cat /proc/${pid}/root/etc/os-release`);
      assert.match(maps, /VERSION_ID="12"/);
    });

    it('has the capabilities that its config names, and cannot write to its root', async () => {
      const { MainPID: pid } = await unitProperties(running, 'web.service', ['MainPID']);
      const status = await running.script(`cat /proc/${pid}/status`);
      // CHOWN DAC_OVERRIDE KILL SETGID SETUID NET_BIND_SERVICE
      assert.match(status, /^CapBnd:\s+00000000000004e3$/m);
      const touch = `nsenter -t ${pid} -m -r touch /etc/x 2>&1 || true`;
      assert.match(await running.script(touch), /Read-only file system/);
    });

    it('is stopped with its mounts, and starts again', async () => {
      await running.script('systemctl stop web');
      await untilNothingMounted(running, 'web');
      await running.script('systemctl start web');
      await eventually(running, httpGet('/release.txt'));
    });
  });

  describe('a job that loads a kernel module', () => {
    it('has ended well, and counts as active', async () => {
      const state = await unitProperties(running, 'module.service', [
        'ActiveState',
        'SubState',
        'Result',
        'ExecMainStatus',
      ]);
      assert.deepEqual(state, {
        ActiveState: 'active',
        SubState: 'exited',
        Result: 'success',
        ExecMainStatus: '0',
      });
    });

    it('has seen the kernel of the host', async () => {
      const state = await running.script('cat /run/module/state; uname -r');
      assert.match(state, /^(loaded|builtin) dummy (\S+)\n\2\n$/);
    });

    it('was done before sysinit.target was reached and before containerd started', async () => {
      const { ExecMainExitTimestampMonotonic: done } = await unitProperties(
        running,
        'module.service',
        ['ExecMainExitTimestampMonotonic'],
      );
      const { ActiveEnterTimestampMonotonic: sysinit } = await unitProperties(
        running,
        'sysinit.target',
        ['ActiveEnterTimestampMonotonic'],
      );
      const { ExecMainStartTimestampMonotonic: containerd } = await unitProperties(
        running,
        'containerd.service',
        ['ExecMainStartTimestampMonotonic'],
      );
      assert.ok(Number(done) > 0);
      assert.ok(Number(done) < Number(sysinit), `${done} ${sysinit}`);
      assert.ok(Number(done) < Number(containerd), `${done} ${containerd}`);
    });
  });
});

describe('by chroot, uninstalled', () => {
  it('leaves no trace but the logs', async () => {
    await using running = await host.start({ bindReadOnly: [SYSCT_BIND] });
    await eventually(running, httpGet('/release.txt'));
    for (const name of ['web', 'module'])
      await sysctChecked(running, ['uninstall', '--purge', name]);
    assert.deepEqual(changesBetween(filesBefore, files()), []);
    assert.equal(await running.script('ls -d /run/web /run/module 2>/dev/null || true'), '');
    await running.powerOff();
  });
});

// bash, which every Debian has, speaks TCP.
function httpGet(path: string): string {
  const request = String.raw`GET ${path} HTTP/1.0\r\n\r\n`;
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "${request}" >&3; cat <&3'`;
}
