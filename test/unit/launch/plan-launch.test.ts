// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAPABILITIES } from '../../../src/launch/capability.ts';
import type { LaunchWith } from '../../../src/launch/exec-values.ts';
import { type LaunchRequest, planLaunch } from '../../../src/launch/plan-launch.ts';
import type { RuntimeConfig } from '../../../src/oci/runtime-config.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { parseUnit, unitValues } from '../../../src/systemd/unit-file.ts';
import { verifyUnits } from '../../../src/systemd/verify-unit.ts';

const BY_RUNC: LaunchWith = {
  launcher: 'runc',
  runtime: { path: '/usr/bin/runc', kind: 'runc', version: '' },
};
const CONFIG: RuntimeConfig = {
  ociVersion: '1.0.2',
  process: { args: ['/usr/bin/etcd', '--x'], cwd: '/', user: { uid: 0, gid: 0 } },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/dev', type: 'tmpfs', source: 'tmpfs' }],
  linux: { namespaces: [{ type: 'mount' }] },
};
const DAEMONS = ['docker.service', 'containerd.service', 'kubelet.service'];

function plan(change: Partial<LaunchRequest> = {}) {
  const result = planLaunch({
    name: 'etcd',
    how: BY_RUNC,
    config: CONFIG,
    serviceText: undefined,
    stopSignal: undefined,
    bundle: '/var/lib/sysct/containers/etcd/1',
    rootfs: '/run/sysct/etcd/1/rootfs',
    mounts: [
      {
        what: '/var/lib/sysct/x.erofs',
        where: '/run/sysct/etcd/1/meta',
        type: 'erofs',
        options: ['ro'],
      },
      {
        what: 'overlay',
        where: '/run/sysct/etcd/1/rootfs',
        type: 'overlay',
        options: ['ro', 'lowerdir=/a:/b'],
      },
    ],
    store: '/var/lib/sysct',
    facts: {
      capabilities: new Set(CAPABILITIES),
      selinuxEnabled: false,
      systemdVersion: 252,
      uids: new Set([0, 33]),
      gids: new Set([0, 33]),
    },
    order: { daemons: DAEMONS, before: [], after: [], requires: [] },
    provenance: { image: 'r/etcd:1', digest: 'sha256:00', generation: 3, policy: 'signedBy\nkey' },
    ...change,
  });
  const unit = parseUnit(result.units[0]?.text ?? '', 'unit');
  return {
    ...result,
    unit: (key: string) => unitValues(unit, 'Unit', key),
    service: (key: string) => unitValues(unit, 'Service', key),
    provenance: (key: string) => unitValues(unit, 'X-Sysct', key),
    config: () => JSON.parse(result.configText ?? 'null') as RuntimeConfig,
  };
}

const template = (lines: string, unit = ''): Partial<LaunchRequest> => ({
  serviceText: `[Unit]\n${unit}\n[Service]\n${lines}\n[Install]\nWantedBy=multi-user.target\n`,
});
const START = 'ExecStart=/usr/bin/runc run etcd';

describe('planLaunch by runc', () => {
  it('gives an image without a unit one that systemd takes', async () => {
    const { units, service, provenance, unit } = plan();
    assert.deepEqual(
      units.map(({ name }) => name),
      ['etcd.service', 'run-sysct-etcd-1-meta.mount', 'run-sysct-etcd-1-rootfs.mount'],
    );
    assert.deepEqual(service('ExecStart'), ['/usr/bin/runc run etcd']);
    assert.deepEqual(service('ExecStartPre'), ['-/usr/bin/runc delete --force etcd']);
    assert.deepEqual(service('ExecStopPost'), ['-/usr/bin/runc delete --force etcd']);
    assert.deepEqual(service('Delegate'), ['yes']);
    assert.deepEqual(service('KillMode'), ['mixed']);
    assert.deepEqual(service('Type'), ['exec']);
    assert.deepEqual(service('WorkingDirectory'), ['/var/lib/sysct/containers/etcd/1']);
    assert.deepEqual(unit('RequiresMountsFor'), ['/run/sysct/etcd/1/rootfs']);
    assert.deepEqual(provenance('Policy'), ['signedBy\\x0akey']);
    assert.deepEqual(provenance('Generation'), ['3']);
    const never = new AbortController().signal;
    assert.deepEqual(await verifyUnits(new HostRoot('/'), units, never), []);
  });

  it("writes no word of sysct into an image's Exec lines", () => {
    for (const { text } of plan(template(`${START}\nExecStop=\nExecReload=/bin/kill -HUP $MAINPID`))
      .units) {
      for (const line of text.split('\n').filter((l) => l.startsWith('Exec'))) {
        assert.doesNotMatch(line, /sysct/);
      }
    }
  });

  it("keeps what the image's unit says, but for empty Exec lines", () => {
    const { service, unit } = plan(
      template(
        `Type=notify\n${START}\nExecStop=\nExecStopPost=/bin/rm -f /x\nRestart=always\nSyslogIdentifier=db`,
        'After=network.target',
      ),
    );
    assert.deepEqual(service('ExecStop'), []);
    assert.deepEqual(service('ExecStopPost'), [
      '/bin/rm -f /x',
      '-/usr/bin/runc delete --force etcd',
    ]);
    assert.deepEqual(service('Restart'), ['always']);
    assert.deepEqual(service('SyslogIdentifier'), ['db']);
    assert.deepEqual(unit('After'), ['network.target']);
  });

  it('hands the notification socket through, past the runtime', () => {
    const { service, config } = plan(
      template(`Type=notify\nNotifyAccess=main\nWatchdogSec=30\n${START}`),
    );
    assert.deepEqual(service('NotifyAccess'), ['all']);
    assert.deepEqual(service('UnsetEnvironment'), ['NOTIFY_SOCKET']);
    assert.deepEqual(config().process?.env, [
      'NOTIFY_SOCKET=/run/systemd/notify',
      'WATCHDOG_USEC=30000000',
    ]);
    assert.equal(config().mounts?.at(-1)?.source, '/run/systemd/notify');
  });

  it('binds the credentials of the unit', () => {
    const { config } = plan(template(`${START}\nLoadCredential=key:/etc/key`));
    assert.equal(config().mounts?.at(-1)?.destination, '/run/credentials/etcd.service');
  });

  it('leaves no process behind, whatever KillMode the image asks for', () => {
    const { service, notes } = plan(template(`${START}\nKillMode=none`));
    assert.deepEqual(service('KillMode'), ['mixed']);
    assert.match(notes.join(), /KillMode=none/);
    const kept = plan(template(`${START}\nKillMode=control-group`));
    assert.deepEqual(kept.service('KillMode'), ['control-group']);
  });

  it('turns a forking unit with a PID file into one in the foreground', () => {
    const { service } = plan(template(`Type=forking\nPIDFile=/run/x.pid\n${START}`));
    assert.deepEqual(service('Type'), ['exec']);
    assert.deepEqual(service('PIDFile'), []);
  });

  it("replaces a runtime's command line of the image's own", () => {
    const { service, notes } = plan(
      template('ExecStart=/bin/runc --systemd-cgroup run etcd\nExecStop=/bin/runc kill etcd'),
    );
    assert.deepEqual(service('ExecStart'), ['/usr/bin/runc run etcd']);
    assert.deepEqual(service('ExecStop'), []);
    assert.match(notes.join(), /\/bin\/runc --systemd-cgroup/);
  });

  it('leaves a unit alone that runs a program of the host, but for its root and order', () => {
    const { service, unit, notes } = plan(
      template('ExecStart=/usr/bin/python -u /usr/sbin/waagent'),
    );
    assert.deepEqual(service('Delegate'), []);
    assert.deepEqual(service('ExecStartPre'), []);
    assert.deepEqual(unit('Before'), [DAEMONS.join(' ')]);
    assert.match(notes.join(), /runs a program of the host/);
  });

  it('stops by the signal of the image, unless the unit has one', () => {
    assert.deepEqual(plan({ stopSignal: 'SIGRTMIN+3' }).service('KillSignal'), ['SIGRTMIN+3']);
    assert.deepEqual(plan({ stopSignal: '10' }).service('KillSignal'), ['10']);
    for (const odd of ['x\ny', 'SIGFOO', '0', '99', 'SIGRTMIN-1']) {
      assert.deepEqual(plan({ stopSignal: odd }).service('KillSignal'), [], odd);
    }
    const own = { ...template(`${START}\nKillSignal=SIGINT`), stopSignal: 'SIGQUIT' };
    assert.deepEqual(plan(own).service('KillSignal'), ['SIGINT']);
  });

  it('puts every place of a mount into the root, but for those inside another', () => {
    const config = {
      ...CONFIG,
      process: { ...CONFIG.process, cwd: '/srv/work' },
      mounts: [
        ...(CONFIG.mounts ?? []),
        { destination: '/dev/pts', type: 'devpts' },
        { destination: '/var/lib/etcd', type: 'bind', source: '/data', options: ['bind'] },
        {
          destination: '/etc/resolv.conf',
          type: 'bind',
          source: '/etc/resolv.conf',
          options: ['bind'],
        },
        { destination: '/etc/own', type: 'bind', source: '/etc/own', options: ['bind'] },
      ],
    };
    const { mountPoints, bindSources } = plan({
      config,
      kindOf: (source) => (source === '/etc/own' ? 'file' : undefined),
    });
    assert.deepEqual(
      mountPoints.map(({ path, kind }) => `${kind} ${path}`),
      [
        'directory /proc',
        'directory /sys',
        'directory /dev',
        'directory /run',
        'directory /tmp',
        'directory /srv/work',
        'directory /var/lib/etcd',
        'file /etc/resolv.conf',
        'file /etc/own',
      ],
    );
    assert.deepEqual(
      bindSources.map(({ path }) => path),
      ['/data', '/etc/resolv.conf', '/etc/own'],
    );
  });

  it('refuses units that systemd would not start, and names that runc refuses', () => {
    const refused: readonly (readonly [Partial<LaunchRequest>, string])[] = [
      [{ serviceText: '[Unit]\nDescription=x\n' }, 'INVALID_SERVICE'],
      [{ serviceText: 'garbage' }, 'INVALID_SERVICE'],
      [{ name: 'a@b' }, 'NAME_UNUSABLE'],
      [{ config: { ociVersion: '1.0.0' } }, 'NO_COMMAND'],
      [
        { config: { ...CONFIG, linux: { resources: { rdma: { x: 1 } } } } },
        'UNSUPPORTED_BY_LAUNCHER',
      ],
    ];
    for (const [change, code] of refused) assert.throws(() => plan(change), { code });
  });
});

describe('the start order', () => {
  it('is before every container daemon', () => {
    assert.deepEqual(plan().order.before, DAEMONS);
  });

  it('is as the image says where it starts after a daemon', () => {
    const { order } = plan(template(START, 'After=docker.service\nBefore=x.service'));
    assert.deepEqual(order, { before: ['x.service'], after: ['docker.service'], requires: [] });
  });

  it('is open for a service that is itself a daemon', () => {
    const { order } = plan({ name: 'docker', ...template('ExecStart=/usr/bin/runc run docker') });
    assert.deepEqual(order.before, []);
  });

  it('takes the options of the command line, and starts after what it requires', () => {
    const order = {
      daemons: [],
      before: ['b.service'],
      after: ['a.service'],
      requires: ['r.service'],
    };
    const planned = plan({ order });
    assert.deepEqual(planned.order, {
      before: ['b.service'],
      after: ['network.target', 'a.service', 'r.service'],
      requires: ['r.service'],
    });
  });
});

describe('planLaunch in a chroot', () => {
  const chroot = (config: Partial<RuntimeConfig>, change: Partial<LaunchRequest> = {}) =>
    plan({ how: { launcher: 'chroot' }, config: { ...CONFIG, ...config }, ...change });
  const text = (p: ReturnType<typeof plan>): string => p.units[0]?.text ?? '';

  it('is systemd alone', async () => {
    const planned = chroot({});
    assert.equal(planned.configText, undefined);
    assert.deepEqual(planned.service('ExecStart'), ['/usr/bin/etcd --x']);
    assert.deepEqual(planned.service('RootDirectory'), ['/run/sysct/etcd/1/rootfs']);
    assert.deepEqual(planned.service('CapabilityBoundingSet'), ['']);
    assert.deepEqual(planned.service('DevicePolicy'), ['closed']);
    assert.deepEqual(planned.service('PrivateDevices'), ['yes']);
    assert.doesNotMatch(text(planned), /runc/);
    const never = new AbortController().signal;
    assert.deepEqual(await verifyUnits(new HostRoot('/'), planned.units, never), []);
  });

  it('says in directives what the config says', async () => {
    const planned = chroot({
      process: {
        args: ['httpd', 'a b', '$HOME', '50%'],
        cwd: '/srv',
        env: ['PATH=/usr/bin', 'A=b c'],
        user: { uid: 33, gid: 33, additionalGids: [33], umask: 0o27 },
        capabilities: { bounding: ['CAP_KILL'], ambient: ['CAP_KILL'] },
        noNewPrivileges: true,
        rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 18_446_744_073_709_551_615n }],
        oomScoreAdj: -5,
        apparmorProfile: '',
      },
      mounts: [
        { destination: '/dev', type: 'bind', source: '/dev', options: ['rbind', 'rslave'] },
        { destination: '/proc', type: 'proc' },
        { destination: '/sys', type: 'sysfs', options: ['ro'] },
        { destination: '/tmp', type: 'tmpfs', options: ['mode=1777', 'nosuid'] },
        { destination: '/a', type: 'bind', source: '/x y', options: ['bind', 'ro'] },
        { destination: '/b', type: 'bind', source: '/z', options: ['rbind', 'rw', 'rslave'] },
      ],
      linux: {
        namespaces: [{ type: 'mount' }, { type: 'ipc' }, { type: 'network' }, { type: 'uts' }],
        maskedPaths: ['/proc/kcore'],
        readonlyPaths: ['/proc/sys'],
        resources: {
          devices: [
            { allow: false, access: 'rwm' },
            { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
            { allow: true, type: 'b', major: 8, access: 'r' },
          ],
        },
      },
    });
    const expected = [
      'ExecStart=httpd "a b" $$HOME 50%%',
      'ExecSearchPath=/usr/bin',
      'WorkingDirectory=/srv',
      'User=33',
      'Group=33',
      'SupplementaryGroups=33',
      'UMask=0027',
      'Environment=PATH=/usr/bin',
      'Environment="A=b c"',
      'CapabilityBoundingSet=CAP_KILL',
      'AmbientCapabilities=CAP_KILL',
      'NoNewPrivileges=yes',
      'LimitCORE=0:infinity',
      'OOMScoreAdjust=-5',
      'ReadOnlyPaths=+/sys',
      'TemporaryFileSystem=/tmp:mode=1777,nosuid',
      'BindReadOnlyPaths="/x y:/a:norbind"',
      'BindPaths=/z:/b:rbind',
      'PrivateIPC=yes',
      'PrivateNetwork=yes',
      'ProtectHostname=yes',
      'DevicePolicy=closed',
      'DeviceAllow=/dev/char/10:200 rw',
      'DeviceAllow=block-8 r',
      'InaccessiblePaths=-+/proc/kcore',
      'ReadOnlyPaths=-+/proc/sys',
    ];
    const lines = text(planned).split('\n');
    for (const line of expected) assert.ok(lines.includes(line), `${line}\n${text(planned)}`);
    assert.ok(!lines.includes('PrivateDevices=yes'));
    const never = new AbortController().signal;
    const warnings: string[] = [];
    const warn = (line: string): number => warnings.push(line);
    assert.deepEqual(await verifyUnits(new HostRoot('/'), planned.units, never, warn), []);
    assert.deepEqual(
      warnings.filter((line) => !line.includes('is not executable')),
      [],
    );
  });

  it('is private to the host where every bind is', () => {
    const mounts = (option: string) => [
      { destination: '/dev', type: 'tmpfs' },
      { destination: '/b', type: 'bind', source: '/z', options: ['rbind', option] },
    ];
    assert.deepEqual(chroot({ mounts: mounts('rprivate') }).service('MountFlags'), ['private']);
    assert.deepEqual(chroot({ mounts: mounts('rslave') }).service('MountFlags'), []);
  });

  it('lets all devices be, where the config does', () => {
    const devices = [{ allow: false }, { allow: true, access: 'rwm' }];
    const planned = chroot({ linux: { namespaces: [{ type: 'mount' }], resources: { devices } } });
    assert.deepEqual(planned.service('DevicePolicy'), ['auto']);
  });

  it('has room in the root for the directories that systemd brings', () => {
    const { mountPoints } = chroot(
      {},
      template(
        'ExecStart=/usr/bin/etcd --x\nStateDirectory=%N a/b\nLogsDirectory=etcd:log\nCacheDirectory=%H',
      ),
    );
    const paths = mountPoints.map(({ path }) => path);
    for (const path of ['/var/lib/etcd', '/var/lib/a/b', '/var/log/etcd']) {
      assert.ok(paths.includes(path), path);
    }
  });

  it('refuses everything that systemd cannot do, by name and at once', () => {
    const config: Partial<RuntimeConfig> = {
      hostname: 'x',
      hooks: { prestart: [{ path: '/x' }] },
      process: {
        args: ['/x'],
        env: ['a.b=c'],
        user: { uid: 99, gid: 98 },
        capabilities: { bounding: ['CAP_MKNOD'] },
        rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }],
        ioPriority: { class: 'x' },
      },
      mounts: [
        { destination: '/dev', type: 'tmpfs' },
        { destination: '/a', type: 'bind', source: '/a', options: ['rbind', 'rshared'] },
        { destination: '/b', type: 'bind', source: '/b', options: ['bind', 'noexec'] },
        { destination: '/c', type: 'overlay' },
        { destination: '/d', type: 'tmpfs', options: ['tmpcopyup'] },
        { destination: '/e:f', type: 'bind', source: '/e', options: ['bind'] },
        { destination: '/p', type: 'proc' },
      ],
      linux: {
        namespaces: ['mount', 'uts', 'pid', 'user', 'cgroup'].map((type) => ({ type })),
        seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
        sysctl: { 'net.x': '1' },
        devices: [{ path: '/dev/x', type: 'c', major: 1, minor: 1 }],
        rootfsPropagation: 'rshared',
        resources: { devices: [{ allow: true }, { allow: false, type: 'c', major: 1 }] },
      },
    };
    const names = [
      'hostname',
      'hooks',
      'process\\.ioPriority',
      'linux\\.seccomp',
      'linux\\.sysctl',
      'linux\\.devices',
      'linux\\.rootfsPropagation: rshared',
      'no user 99',
      'no group 98',
      'process\\.env: "a\\.b=c"',
      'CAP_MKNOD with a private /dev',
      'process\\.rlimits: "RLIMIT_X"',
      'mounts\\[1\\] \\(/a\\): rshared',
      'mounts\\[2\\] \\(/b\\): option "noexec"',
      'mounts\\[3\\] \\(/c\\): type "overlay"',
      'mounts\\[4\\] \\(/d\\): option "tmpcopyup"',
      'mounts\\[5\\] \\(/e:f\\): a path with a colon',
      'mounts\\[6\\] \\(/p\\): proc elsewhere',
      'linux\\.namespaces: pid \\(systemd 257 can\\)',
      'linux\\.namespaces: user',
      'linux\\.namespaces: cgroup',
      'linux\\.resources\\.devices\\[1\\]',
    ];
    assert.throws(
      () => chroot(config),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'UNSUPPORTED_BY_LAUNCHER');
        for (const name of names) assert.match(error.message, new RegExp(name));
        return true;
      },
    );
  });

  it('has PID namespaces where systemd has', () => {
    const facts = {
      capabilities: new Set(CAPABILITIES),
      selinuxEnabled: false,
      systemdVersion: 257,
      uids: new Set<number>(),
      gids: new Set<number>(),
    };
    const linux = { namespaces: [{ type: 'mount' }, { type: 'pid' }] };
    assert.deepEqual(chroot({ linux }, { facts }).service('PrivatePIDs'), ['yes']);
  });
});
