// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LaunchWith } from '../../src/launch/exec-values.ts';
import { runtimeConfigFromImage } from '../../src/launch/runtime-config-from-image.ts';
import {
  bind,
  BY_CHROOT,
  BY_CRUN,
  BY_RUNC,
  chrootConfig,
  placeService,
  shellConfig,
} from '../support/host/launch-rig.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { LAUNCH_HOST_PACKAGES } from '../support/host/launch-host-packages.ts';
import { eventually, processOf, untilNothingMounted } from '../support/host/on-host.ts';

// One host for all: booting and building it is what takes time.
let host: Host;
let running: RunningHost;

const LOYAL = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done';
const SLEEPS = 'while :; do sleep 1; done';
const TELLS_READY =
  'exec perl -MSocket -e \'socket(S,AF_UNIX,SOCK_DGRAM,0); sleep 1; send(S,"READY=1\\nSTATUS=up and running",0,sockaddr_un($ENV{NOTIFY_SOCKET})) or die; $SIG{TERM}=sub{exit 0}; sleep 1000\'';
const NEVER_READY = '[Service]\nType=notify\nExecStart=$EXEC_START\nTimeoutStartSec=60';
const RUNTIMES: readonly (readonly [string, LaunchWith])[] = [
  ['runc', BY_RUNC],
  ['crun', BY_CRUN],
];

before(async () => {
  host = await createHost({ packages: LAUNCH_HOST_PACKAGES });
  mkdirSync(join(host.root, 'srv/out'));
  chmodSync(join(host.root, 'srv/out'), 0o777);
  mkdirSync(join(host.root, 'var/lib/plain/data'), { recursive: true });
  // systemd starts services only as users that the host knows.
  appendFileSync(join(host.root, 'etc/passwd'), 'web:x:1234:1235::/:/bin/sh\n');
  appendFileSync(join(host.root, 'etc/group'), 'web:x:1235:\n');
  writeFileSync(join(host.root, 'etc/secret'), 'open sesame');
  const out = bind('/srv/out', '/out', 'rw');
  const usr = bind('/usr', '/usr', 'ro');
  for (const [id, how] of RUNTIMES) {
    const place = (name: string, script: string, service?: string): Promise<unknown> =>
      placeService(host.root, {
        name: `${id}-${name}`,
        how,
        config: shellConfig(script, [out, usr]),
        ...(service === undefined ? {} : { service }),
      });
    await place('loyal', LOYAL);
    await place('deaf', SLEEPS, '[Service]\nExecStart=$EXEC_START\nTimeoutStopSec=1');
    await place('ready', TELLS_READY, '[Service]\nType=notify\nExecStart=$EXEC_START');
    await place('dies', 'exit 3', NEVER_READY);
    await place(
      'limited',
      LOYAL,
      '[Service]\nExecStart=$EXEC_START\nMemoryMax=64M\nTasksMax=17\nSlice=a-b.slice',
    );
    await place(
      'secret',
      'cat $CREDENTIALS_DIRECTORY/key > /out/secret; sleep 1',
      '[Service]\nType=oneshot\nExecStart=$EXEC_START\nLoadCredential=key:/etc/secret',
    );
  }
  await placeService(host.root, { name: 'plain', how: BY_RUNC, ...plainImage('runc') });
  await placeService(host.root, {
    name: 'interrupted',
    how: BY_RUNC,
    config: shellConfig(
      'trap "echo int > /out/signal; exit 0" INT; while :; do sleep 1 & wait $!; done',
      [out],
    ),
    stopSignal: 'SIGINT',
  });
  await placeChroots(out);
  running = await host.start();
});

async function placeChroots(out: ReturnType<typeof bind>): Promise<void> {
  const facts = 'id; pwd; env; cat /proc/self/status; mount; touch /x; ls /dev; echo done';
  const config = chrootConfig(`(${facts}) > /out/chroot 2>&1`, [
    out,
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777', 'size=1m'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
  ]);
  await placeService(host.root, {
    name: 'once',
    how: BY_CHROOT,
    config: {
      ...config,
      process: {
        ...config.process,
        user: { uid: 1234, gid: 1235, additionalGids: [7] },
        env: ['PATH=/bin', 'GREETING=50% "off" $HOME\n'],
        cwd: '/tmp',
        noNewPrivileges: true,
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
        capabilities: { bounding: ['CAP_KILL', 'CAP_CHOWN'], ambient: ['CAP_CHOWN'] },
      },
      linux: { ...config.linux, maskedPaths: ['/proc/keys'], readonlyPaths: ['/proc/sys'] },
    },
    service:
      '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=$EXEC_START\nStateDirectory=once',
  });
  await placeService(host.root, {
    name: 'sleeper',
    how: BY_CHROOT,
    config: chrootConfig(SLEEPS, [out]),
  });
}

function plainImage(launcher: 'runc' | 'chroot') {
  const script = 'id > /data/id; grep Cap /proc/self/status >> /data/id; hostname >> /data/id';
  const { config } = runtimeConfigFromImage(
    {
      execution: {
        user: 'web',
        entrypoint: ['/bin/sh'],
        cmd: ['-c', `${script}; ${LOYAL}`],
        env: [],
        workingDir: '',
        volumes: ['/data'],
        exposedPorts: [],
        stopSignal: undefined,
        labels: {},
      },
      passwd: 'root:x:0:0::/:/bin/sh\nweb:x:0:0::/:/bin/sh\n',
      group: undefined,
    },
    { name: 'plain', stateDirectory: '/var/lib', launcher, hostHas: () => false },
  );
  return { config };
}

after(async () => {
  await running?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

async function show(unit: string, property: string): Promise<string> {
  return (await running.script(`systemctl show --value -p ${property} ${unit}`)).trim();
}

// With the journal in the message where it does not come up.
async function start(unit: string): Promise<void> {
  const up = `systemctl start ${unit} && systemctl is-active --quiet ${unit}`;
  await running.script(`${up} || { journalctl -o cat --no-pager -u ${unit} | tail -20; false; }`);
}

/** Starts a service and waits until its shell has come to its loop: its handlers are there then. */
async function startAndSettle(unit: string): Promise<void> {
  await start(unit);
  await processOf(running, `${unit}.service`, 'sleep');
}

/** Waits until systemd has started it again so often, and its shell has come to its loop. */
async function untilRestarted(unit: string): Promise<void> {
  const is = (property: string, value: string): string =>
    `[ "$(systemctl show --value -p ${property} ${unit})" = ${value} ]`;
  await eventually(running, `${is('NRestarts', '1')} && ${is('ActiveState', 'active')}`);
  await processOf(running, `${unit}.service`, 'sleep');
}

async function processesIn(group: string): Promise<readonly string[]> {
  const text = await running.script(`cat /sys/fs/cgroup/${group}/cgroup.procs 2>&1 || true`);
  return text.split('\n').filter((line) => /^\d+$/.test(line));
}

const output = (name: string): string => readFileSync(join(host.root, 'srv/out', name), 'utf8');

for (const [id, how] of RUNTIMES) {
  describe(`a service by ${id}`, () => {
    it('has the container in its own control group, and is gone after a stop, mounts too', async () => {
      await startAndSettle(`${id}-loyal`);
      const main = await processesIn(`system.slice/${id}-loyal.service`);
      const container = await processesIn(`system.slice/${id}-loyal.service/container`);
      assert.equal(main.length, 1);
      assert.ok(container.length >= 1);
      // Between two of its sleeps there is none.
      const status = await eventually(
        running,
        `systemctl status --no-pager ${id}-loyal > /run/status && cat /run/status && grep -q 'sleep 1' /run/status`,
      );
      assert.match(status, /└─container\n/);
      await running.script(`systemctl stop ${id}-loyal`);
      assert.equal(await show(`${id}-loyal`, 'ActiveState'), 'inactive');
      assert.equal(await show(`${id}-loyal`, 'Result'), 'success');
      await untilNothingMounted(running, `${id}-loyal`);
      assert.doesNotMatch(await running.script(`${id} list`), new RegExp(`${id}-loyal`));
    });

    it('starts again when the runtime is killed, and leaves nobody behind', async () => {
      const unit = `${id}-loyal`;
      await startAndSettle(unit);
      const [before] = await processesIn(`system.slice/${unit}.service/container`);
      await running.script(`kill -9 $(systemctl show --value -p MainPID ${unit})`);
      await untilRestarted(unit);
      const now = await processesIn(`system.slice/${unit}.service/container`);
      assert.ok(now.length >= 1 && !now.includes(before ?? ''));
      await running.script(`systemctl stop ${unit}`);
    });

    it('starts again when the container is killed', async () => {
      const unit = `${id}-loyal`;
      await startAndSettle(unit);
      await running.script(
        // When PID 1 goes first the others are gone before their turn.
        `kill -9 $(cat /sys/fs/cgroup/system.slice/${unit}.service/container/cgroup.procs) || true`,
      );
      await untilRestarted(unit);
      await running.script(`systemctl stop ${unit}`);
    });

    it('is killed when its PID 1 ignores TERM, and starts again', async () => {
      const unit = `${id}-deaf`;
      await startAndSettle(unit);
      await running.script(`systemctl stop ${unit}`);
      assert.equal(await show(unit, 'Result'), 'timeout');
      assert.deepEqual(await processesIn(`system.slice/${unit}.service/container`), []);
      await startAndSettle(unit);
      assert.equal(await show(unit, 'ActiveState'), 'active');
      await running.script(`systemctl stop ${unit}`);
    });

    it('is up only when the container has said READY', async () => {
      const begun = performance.now();
      await running.script(`systemctl start ${id}-ready`);
      assert.ok(performance.now() - begun >= 1000);
      assert.equal(await show(`${id}-ready`, 'ActiveState'), 'active');
      assert.equal(await show(`${id}-ready`, 'StatusText'), 'up and running');
      await running.script(`systemctl stop ${id}-ready`);
      assert.equal(await show(`${id}-ready`, 'Result'), 'success');
    });

    it('fails at once when the container ends before READY, with its status', async () => {
      await assert.rejects(running.script(`systemctl start ${id}-dies`));
      assert.equal(await show(`${id}-dies`, 'ExecMainStatus'), '3');
      assert.equal(await show(`${id}-dies`, 'Result'), 'exit-code');
    });

    it('stays in its unit below another slice, under the limits of the unit', async () => {
      await startAndSettle(`${id}-limited`);
      const group = `a.slice/a-b.slice/${id}-limited.service`;
      assert.ok((await processesIn(`${group}/container`)).length >= 1);
      // Controllers may be missing in a host below a version 1 hierarchy; those that are there count.
      const limits = await running.script(
        `cd /sys/fs/cgroup/${group}; cat memory.max pids.max || true`,
      );
      for (const line of limits
        .trim()
        .split('\n')
        .filter((text) => text !== '')) {
        assert.match(line, /^(67108864|17)$/);
      }
      assert.equal(await show(`${id}-limited`, 'MemoryMax'), '67108864');
      await running.script(`systemctl stop ${id}-limited`);
    });

    it('hands on the credentials of its unit', async () => {
      await running.script(`systemctl start ${id}-secret`);
      assert.equal(output('secret'), 'open sesame');
    });

    it('logs under its own name, and names no path of ours in an Exec line', async () => {
      await running.script(`systemctl start ${id}-dies || true`);
      const unit = readFileSync(join(host.root, `etc/systemd/system/${id}-loyal.service`), 'utf8');
      const lines = unit.split('\n').filter((line) => line.startsWith('Exec'));
      assert.equal(lines.length, 3);
      for (const line of lines) assert.doesNotMatch(line, /sysct/);
      assert.match(unit, new RegExp(`^SyslogIdentifier=${id}-loyal$`, 'm'));
      assert.equal(how.launcher, 'runc');
    });
  });
}

describe('a plain image by runc', () => {
  it('runs with the default capabilities, its volume and a name of its own', async () => {
    await startAndSettle('plain');
    const text = readFileSync(join(host.root, 'var/lib/plain/data/id'), 'utf8');
    assert.match(text, /^uid=0/);
    // The mask of podman's eleven.
    assert.match(text, /CapBnd:\t00000000800405fb/);
    assert.match(text, /^plain$/m);
    await running.script('systemctl stop plain');
    assert.equal(await show('plain', 'Result'), 'success');
  });

  it("is stopped by the image's own signal", async () => {
    await startAndSettle('interrupted');
    await running.script('systemctl stop interrupted');
    assert.equal(output('signal'), 'int\n');
  });
});

describe('a service in a chroot', () => {
  it('has what the config says, and its root only while it is active', async () => {
    await start('once');
    const text = output('chroot');
    assert.match(text, /^uid=1234 gid=1235 groups=7/m);
    assert.match(text, /^\/tmp$/m);
    assert.match(text, /^GREETING=50% "off" \$HOME$/m);
    assert.match(text, /CapBnd:\t0000000000000021/);
    assert.match(text, /CapEff:\t0000000000000001/);
    assert.match(text, /NoNewPrivs:\t1/);
    assert.match(text, /^overlay on \/ type overlay \(ro,/m);
    assert.match(text, /touch: \/x: Read-only file system/);
    assert.match(text, /^tmpfs on \/tmp type tmpfs \(rw,.*size=1024k/m);
    assert.match(text, /^cgroup on \/sys\/fs\/cgroup type cgroup2 \(ro,/m);
    assert.match(text, /^proc on \/proc\/sys type proc \(ro,/m);
    assert.match(text, /^\S+ on \/proc\/keys /m);
    assert.doesNotMatch(text, /^(loop0|sda|kmsg)$/m);
    assert.match(text, /on \/var\/lib\/once type/);
    assert.match(text, /^done$/m);
    await running.script('systemctl stop once');
    await untilNothingMounted(running, 'once');
  });

  it('restarts when it is killed', async () => {
    await startAndSettle('sleeper');
    await running.script('kill -9 $(systemctl show --value -p MainPID sleeper)');
    await untilRestarted('sleeper');
    await running.script('systemctl stop sleeper');
    assert.equal(await show('sleeper', 'Result'), 'success');
  });
});
