// SPDX-License-Identifier: Apache-2.0
// What systemd does with the services: restarts, stops that are ignored, limits, other runtimes.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import {
  eventually,
  processOf,
  processThatTraps,
  unitProperties,
  unitProperty,
  untilNothingMounted,
} from '../support/host/on-host.ts';
import { sysct, SYSCT_BIND, SYSCT_ON_HOST, sysctChecked } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';

/** Ignores TERM, and says so; its children do as well. */
const STUBBORN = `trap 'echo ignored' TERM INT
( trap '' TERM INT; while true; do sleep 1; done ) &
while true; do sleep 0.1; done
`;

/** Ends at once when it gets its own stop signal, and says which. */
const SLEEPER = `trap 'echo got USR1; exit 0' USR1
while true; do sleep 0.1; done
`;

// Without device rules: for those crun raises RLIMIT_MEMLOCK, which not every build machine allows.
const SLEEPER_CONFIG = {
  ociVersion: '1.0.2',
  process: { args: ['/run.sh'], env: ['PATH=/bin'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
  linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
};

const SERVICE = (lines: string): string => `[Unit]
Description=Test
[Service]
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR
${lines}
[Install]
WantedBy=multi-user.target
`;

let host: Host;
let running: RunningHost;

before(async () => {
  host = await createHost();
  writePolicy(host.root, ['/srv']);
  mkdirSync(join(host.root, 'srv'), { recursive: true });
  await writeBusyboxImage(join(host.root, 'srv/stubborn'), '1', {
    script: STUBBORN,
    exports: { 'service.template': SERVICE('TimeoutStopSec=2\nMemoryMax=64M\nLimitNOFILE=99') },
  });
  await writeBusyboxImage(join(host.root, 'srv/short'), '1', {
    script: 'echo "run $$"; sleep 0.3; exit 5\n',
    exports: { 'service.template': SERVICE('Restart=on-failure\nRestartSec=100ms') },
  });
  await writeBusyboxImage(join(host.root, 'srv/sleeper'), '1', {
    script: SLEEPER,
    config: { StopSignal: 'SIGUSR1' },
    exports: { 'config.json': JSON.stringify(SLEEPER_CONFIG) },
  });
  copyRuntimes(host.root);
  running = await host.start({ bindReadOnly: [SYSCT_BIND] });
});

after(async () => {
  await running?.powerOff();
  await host?.[Symbol.asyncDispose]();
});

for (const launcher of ['runc', 'chroot'] as const) {
  describe(`a container that ignores TERM, by ${launcher}`, () => {
    before(async () => {
      const how = ['--name', 'stubborn', '--launcher', launcher];
      await sysctChecked(running, ['install', '--now', ...how, 'oci:/srv/stubborn']);
    });
    after(async () => {
      await sysctChecked(running, ['uninstall', 'stubborn']);
    });

    it('is stopped within its TimeoutStopSec all the same, with all its processes', async () => {
      await processThatTraps(running, 'stubborn.service', 'run.sh', 'SIGTERM');
      const started = performance.now();
      await running.script('systemctl stop stubborn');
      const seconds = (performance.now() - started) / 1000;
      assert.ok(seconds >= 1.5 && seconds < 80, `${seconds} s`);
      assert.equal(await unitProperty(running, 'stubborn.service', 'Result'), 'timeout');
      await untilNothingMounted(running);
      assert.equal(await running.script('runc list --quiet'), '');
    });

    it('starts again after that', async () => {
      await running.script('systemctl start stubborn');
      await processOf(running, 'stubborn.service', 'run.sh');
      await processOf(running, 'stubborn.service', 'sleep');
    });

    it('has the limits of its unit', async () => {
      const { MemoryMax: max } = await unitProperties(running, 'stubborn.service', ['MemoryMax']);
      assert.equal(max, String(64 * 1024 * 1024));
      const pid = await processOf(running, 'stubborn.service', 'run.sh');
      assert.match(await running.script(`cat /proc/${pid}/limits`), /^Max open files +99 +99 /m);
    });
  });

  describe(`a container that fails again and again, by ${launcher}`, () => {
    it('is started anew as its unit says, until systemd gives up', async () => {
      const how = ['--name', 'short', '--launcher', launcher];
      await sysctChecked(running, ['install', ...how, 'oci:/srv/short']);
      await running.script('systemctl start short');
      await eventually(running, '[ "$(systemctl show -P NRestarts short)" -ge 2 ]');
      await running.script('systemctl stop short');
      await eventually(
        running,
        `[ "$(${SYSCT_ON_HOST} logs short | grep -c ': run [0-9]*$')" -ge 2 ]`,
      );
      const state = await unitProperties(running, 'short.service', ['ActiveState']);
      assert.notEqual(state['ActiveState'], 'active');
      await sysctChecked(running, ['uninstall', 'short']);
    });
  });
}

describe('a container whose host lost power', () => {
  it('starts again at the next boot', async () => {
    await sysctChecked(running, ['install', '--now', '--name', 'sleeper', 'oci:/srv/sleeper']);
    await processOf(running, 'sleeper.service', 'run.sh');
    await running.kill();
    running = await host.start({ bindReadOnly: [SYSCT_BIND] });
    await processOf(running, 'sleeper.service', 'run.sh');
    assert.equal((await sysct(running, ['status', 'sleeper'])).exitCode, 0);
    await sysctChecked(running, ['uninstall', 'sleeper']);
  });
});

for (const runtime of ['/usr/local/bin/crun', '/usr/local/bin/my-runtime']) {
  describe(`the runtime ${runtime}`, () => {
    it('starts, restarts, enters and stops a container', async () => {
      const how = ['--name', 'sleeper', '--runtime', runtime];
      await sysctChecked(running, ['install', '--now', ...how, 'oci:/srv/sleeper']);
      const pid = await processThatTraps(running, 'sleeper.service', 'run.sh', 'SIGUSR1');
      const { stdout } = await sysctChecked(running, ['exec', 'sleeper', 'cat', '/proc/1/cmdline']);
      assert.equal(stdout, '/bin/sh\0/run.sh\0');
      await sysctChecked(running, ['restart', 'sleeper']);
      const next = await processThatTraps(running, 'sleeper.service', 'run.sh', 'SIGUSR1');
      assert.notEqual(next, pid);
      await sysctChecked(running, ['stop', 'sleeper']);
      assert.equal(await running.script(`${runtime} list --quiet`), '');
      const state = await sysct(running, ['status', '--json', 'sleeper']);
      assert.equal(state.exitCode, 3);
      assert.equal(JSON.parse(state.stdout).generation.runtime, runtime);
      const logs = `${SYSCT_ON_HOST} logs --tail 50 sleeper`;
      await eventually(running, `${logs} | grep ': got USR1$'`);
      assert.equal(await unitProperty(running, 'sleeper.service', 'Result'), 'success');
      await sysctChecked(running, ['uninstall', 'sleeper']);
    });
  });
}

// The crun of this machine, and a runtime that nobody knows, which is runc.
function copyRuntimes(root: string): void {
  copyFileSync('/usr/bin/crun', join(root, 'usr/local/bin/crun'));
  for (const library of globSync('/usr/lib/*-linux-gnu/libyajl.so.2'))
    copyFileSync(library, join(root, library));
  const script = join(root, 'usr/local/bin/my-runtime');
  writeFileSync(script, '#!/bin/sh\nexec /usr/sbin/runc "$@"\n');
  chmodSync(script, 0o755);
}
