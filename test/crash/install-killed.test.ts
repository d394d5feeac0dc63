// SPDX-License-Identifier: Apache-2.0
// kill -9 of install and uninstall at every step of the switch. The next run puts it right: the host is as
// before, or the switch is whole.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { changesBetween, type HostFiles, hostFilesOf } from '../support/host/host-files.ts';
import {
  collectStrace,
  type KillPoint,
  runKilled,
  type Tracer,
  tracerOn,
  watchCalls,
} from '../support/host/kill-points.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { eventually, unitProperty, untilNothingMounted } from '../support/host/on-host.ts';
import { sysct, SYSCT_BIND, SYSCT_ON_HOST, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const SERVICE = `[Unit]
Description=Test
[Service]
Type=exec
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR
TimeoutStopSec=2
[Install]
WantedBy=multi-user.target
Also=
`;

const INSTALL = ['install', '--quiet', '--name', 'victim', 'oci:/srv/victim'];
const UNINSTALL = ['uninstall', 'victim'];
/** It takes the lock, recovers, and then cannot be planned. */
const RECOVER = ['install', '--quiet', '--name', 'other', 'oci:/srv/unfinished'];

const tools = temporaryDirectory('strace');
let host: Host;
let files: () => HostFiles;
let running: RunningHost;
let before_: HostFiles;
let installed: HostFiles;

before(async () => {
  host = await createHost();
  files = hostFilesOf(host.root);
  writePolicy(host.root, ['/srv']);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  await writeBusyboxImage(join(host.root, 'srv/victim'), '1', {
    script: 'exec sleep 1000\n',
    exports: {
      'service.template': SERVICE,
      'tmpfiles.template': 'd /var/lib/victim/deep/data 0700 - - - -\n',
      'hostfs/etc/victim/victim.conf': 'a=1\n',
      'hostfs/usr/local/bin/victimctl': '#!/bin/sh\necho victim\n',
    },
  });
  await writeBusyboxImage(join(host.root, 'srv/slow'), '1', {
    script: 'sleep 1000\n',
    exports: { 'service.template': SERVICE.replace('Type=exec', 'Type=notify') },
  });
  await writeBusyboxImage(join(host.root, 'srv/unfinished'), '1', {
    script: 'exit 0\n',
    exports: { 'service.template': `${SERVICE}# $NOT_SET\n` },
  });
  const strace = await collectStrace(join(tools.directory, 'strace'));
  running = await host.start({ bindReadOnly: [SYSCT_BIND, strace] });
  before_ = files();
  await sysctChecked(running, INSTALL);
  installed = files();
  await sysctChecked(running, UNINSTALL);
  assert.deepEqual(changesBetween(before_, files()), []);
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
  tools[Symbol.dispose]();
});

function tracer(): Tracer {
  return tracerOn(running, host.root);
}

/** What a run makes of the host, for comparing: nothing, or a whole install. */
async function recover(at: string): Promise<'absent' | 'installed'> {
  const { exitCode, stderr } = await sysct(running, RECOVER);
  assert.equal(exitCode, 1, stderr);
  assert.match(stderr, /NOT_SET/);
  const found = files();
  const isInstalled = existsSync(join(host.root, 'var/lib/sysct/containers/victim/current'));
  assert.deepEqual(changesBetween(isInstalled ? installed : before_, found), [], at);
  const names = readdirSync(join(host.root, 'var/lib/sysct/containers')).filter(
    (name) => !name.startsWith('.'),
  );
  assert.deepEqual(names, isInstalled ? ['victim'] : [], at);
  const load = await unitProperty(running, 'victim.service', 'LoadState');
  assert.equal(load, isInstalled ? 'loaded' : 'not-found', at);
  return isInstalled ? 'installed' : 'absent';
}

/** From the first change to what belongs to containers on: before that, it is the store's business. */
function ofTheSwitch(points: readonly KillPoint[]): readonly KillPoint[] {
  const first = points.findIndex(({ text }) => text.includes('/containers/victim'));
  return points
    .slice(first)
    .filter(({ call, text }) => call !== 'write' || text.includes('freedesktop'))
    .filter(({ text }) => !text.includes(' = -1 E'));
}

describe('install, killed at any call of the switch', () => {
  it('is undone by the next run, or was whole', async () => {
    const calls = ofTheSwitch(await watchCalls(tracer(), [SYSCT_ON_HOST, ...INSTALL]));
    await sysctChecked(running, UNINSTALL);
    assert.ok(calls.length > 20, `${calls.length}`);
    for (const wanted of ['switch.json', '.current.new', 'Reload', 'EnableUnitFiles'])
      assert.ok(
        calls.some(({ text }) => text.includes(wanted)),
        wanted,
      );
    const outcomes = new Map<string, number>();
    for (const point of calls) {
      await runKilled(tracer(), point, [SYSCT_ON_HOST, ...INSTALL]);
      const outcome = await recover(point.text);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome === 'installed') await sysctChecked(running, UNINSTALL);
    }
    // The last steps are after the point of no return.
    assert.ok((outcomes.get('absent') ?? 0) > 15, JSON.stringify([...outcomes]));
    assert.ok((outcomes.get('installed') ?? 0) >= 1, JSON.stringify([...outcomes]));
    assert.deepEqual(changesBetween(before_, files()), []);
  });

  it('works afterwards', async () => {
    await sysctChecked(running, INSTALL);
    assert.deepEqual(changesBetween(installed, files()), []);
    await running.script('systemctl start victim && systemctl stop victim');
    await sysctChecked(running, UNINSTALL);
  });
});

describe('uninstall, killed at any call of the switch', () => {
  it('is finished by the next run, or had not begun', async () => {
    await sysctChecked(running, INSTALL);
    const calls = ofTheSwitch(await watchCalls(tracer(), [SYSCT_ON_HOST, ...UNINSTALL]));
    assert.ok(calls.length > 20, `${calls.length}`);
    let state = 'absent';
    for (const point of calls) {
      if (state === 'absent') await sysctChecked(running, INSTALL);
      await runKilled(tracer(), point, [SYSCT_ON_HOST, ...UNINSTALL]);
      state = await recover(point.text);
    }
    assert.equal(state, 'absent');
  });
});

describe('install --now, killed while the service starts', () => {
  it('is undone by the next run, which stops the service first', async () => {
    const install = ['install', '--now', '--quiet', '--name', 'victim', 'oci:/srv/slow'];
    await running.script(`
      ${SYSCT_ON_HOST} ${install.join(' ')} > /dev/null 2>&1 & pid=$!
      n=0
      until [ "$(systemctl show -P ActiveState victim)" = activating ] && runc list -q | grep -q victim; do
        n=$((n + 1)); [ $n -lt 2400 ]; sleep 0.05
      done
      kill -9 $pid`);
    assert.equal(await unitProperty(running, 'victim.service', 'ActiveState'), 'activating');
    await recover('starting');
    await untilNothingMounted(running);
    assert.equal(await running.script('runc list --quiet'), '');
  });
});

describe('install, killed just before the host loses power', () => {
  it('is undone at the next boot by the next run', async () => {
    const points = ofTheSwitch(await watchCalls(tracer(), [SYSCT_ON_HOST, ...INSTALL]));
    await sysctChecked(running, UNINSTALL);
    const enabled = points.findLast(({ call }) => call === 'symlink');
    assert.ok(enabled !== undefined);
    assert.ok(await runKilled(tracer(), enabled, [SYSCT_ON_HOST, ...INSTALL]));
    await running.kill();
    running = await host.start({ bindReadOnly: [SYSCT_BIND] });
    await eventually(running, '[ "$(systemctl show -P ActiveState victim)" = active ]');
    assert.equal(await recover('rebooted'), 'absent');
    await untilNothingMounted(running);
  });
});
