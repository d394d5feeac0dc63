// SPDX-License-Identifier: Apache-2.0
// The same for a root that is not running, where sysct makes the enablement links itself.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import { type KillPoint, runKilled, tracerHere, watchCalls } from '../support/host/kill-points.ts';
import { SYSCT, sysctOffline, sysctOfflineChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const SERVICE = `[Service]
ExecStart=$EXEC_START
[Install]
WantedBy=multi-user.target
`;

const tmp = temporaryDirectory('offline', '/dev/shm');
const root = join(tmp.directory, 'root');
const images = join(tmp.directory, 'images');
const files = hostFilesOf(root);
const tracer = tracerHere(tmp.directory);
const INSTALL = [
  ...['install', '--quiet', '--launcher', 'chroot', '--name', 'victim'],
  `oci:${images}/victim`,
];
const UNINSTALL = ['uninstall', 'victim'];
let filesBefore: HostFiles;
let installed: HostFiles;

before(async () => {
  mkdirSync(join(root, 'usr/lib/systemd'), { recursive: true });
  // All that is asked of a root's systemd is its version, which this name tells.
  writeFileSync(join(root, 'usr/lib/systemd/libsystemd-shared-252.so'), '');
  writePolicy(root, [images]);
  await writeBusyboxImage(join(images, 'victim'), '1', {
    script: 'exec sleep 1000\n',
    exports: {
      'service.template': SERVICE,
      'tmpfiles.template': 'd /var/lib/victim/deep/data 0700 - - - -\n',
      'hostfs/etc/victim/victim.conf': 'a=1\n',
    },
  });
  await writeBusyboxImage(join(images, 'unfinished'), '1', {
    script: 'exit 0\n',
    exports: { 'service.template': `${SERVICE}# $NOT_SET\n` },
  });
  // What the first one makes for all.
  await sysctOfflineChecked(root, INSTALL);
  await sysctOfflineChecked(root, UNINSTALL);
  filesBefore = files();
  await sysctOfflineChecked(root, INSTALL);
  installed = files();
  await sysctOfflineChecked(root, UNINSTALL);
  assert.deepEqual(changesBetween(filesBefore, files()), []);
});

after(() => {
  tmp[Symbol.dispose]();
});

async function recover(at: string): Promise<'absent' | 'installed'> {
  const other = ['install', '--quiet', '--launcher', 'chroot', '--name', 'other'];
  const { exitCode, stderr } = await sysctOffline(root, [...other, `oci:${images}/unfinished`]);
  assert.equal(exitCode, 1, stderr);
  assert.match(stderr, /NOT_SET/);
  const isInstalled = existsSync(join(root, 'var/lib/sysct/containers/victim/current'));
  assert.deepEqual(changesBetween(isInstalled ? installed : filesBefore, files()), [], at);
  return isInstalled ? 'installed' : 'absent';
}

function lineOf([verb = '', ...rest]: readonly string[]): readonly string[] {
  return [SYSCT, verb, '--root', root, ...rest];
}

function ofTheSwitch(points: readonly KillPoint[]): readonly KillPoint[] {
  const first = points.findIndex(({ text }) => text.includes('/containers/victim'));
  return points
    .slice(first)
    .filter(({ call, text }) => call !== 'write' && !text.includes(' = -1 E'));
}

describe('in an offline root', () => {
  it('an install that is killed at any call of the switch is undone by the next run, or was whole', async () => {
    const calls = ofTheSwitch(await watchCalls(tracer, lineOf(INSTALL)));
    await sysctOfflineChecked(root, UNINSTALL);
    assert.ok(calls.some(({ text }) => text.includes('multi-user.target.wants')));
    let whole = 0;
    for (const point of calls) {
      await runKilled(tracer, point, lineOf(INSTALL));
      if ((await recover(point.text)) === 'absent') continue;
      whole += 1;
      await sysctOfflineChecked(root, UNINSTALL);
    }
    assert.ok(whole >= 1 && whole < calls.length / 2, `${whole} of ${calls.length}`);
  });

  it('an uninstall that is killed at any call of the switch is finished by the next run', async () => {
    await sysctOfflineChecked(root, INSTALL);
    const calls = ofTheSwitch(await watchCalls(tracer, lineOf(UNINSTALL)));
    let state = 'absent';
    for (const point of calls) {
      if (state === 'absent') await sysctOfflineChecked(root, INSTALL);
      await runKilled(tracer, point, lineOf(UNINSTALL));
      state = await recover(point.text);
    }
    assert.equal(state, 'absent');
  });

  for (const killed of ['install', 'uninstall'] as const) {
    for (const again of ['install', 'uninstall'] as const) {
      it(`an ${again} works where an ${killed} of the same name was killed`, async () => {
        const line = killed === 'install' ? INSTALL : UNINSTALL;
        if (killed === 'uninstall') await sysctOfflineChecked(root, INSTALL);
        const calls = ofTheSwitch(await watchCalls(tracer, lineOf(line)));
        await sysctOfflineChecked(root, killed === 'install' ? UNINSTALL : INSTALL);
        const middle = calls[Math.floor(calls.length / 2)];
        assert.ok(middle !== undefined);
        assert.ok(await runKilled(tracer, middle, lineOf(line)));
        assert.notDeepEqual(changesBetween(filesBefore, files()), []);
        if (again === 'install') {
          await sysctOfflineChecked(root, INSTALL);
          assert.deepEqual(changesBetween(installed, files()), []);
        }
        await sysctOfflineChecked(root, UNINSTALL);
        assert.deepEqual(changesBetween(filesBefore, files()), []);
      });
    }
  }
});
