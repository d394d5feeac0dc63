// SPDX-License-Identifier: Apache-2.0
// What `--display` says of a container's power, for configs that would rather have it said otherwise.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LaunchWith } from '../../../src/launch/exec-values.ts';
import { UnitDraft } from '../../../src/launch/edit-unit.ts';
import { hostCommands } from '../../../src/launch/host-commands.ts';
import { type Privileges, privilegesOf } from '../../../src/launch/privileges.ts';
import type { RuntimeConfig, RuntimeMount } from '../../../src/oci/runtime-config.ts';
import { parseUnit } from '../../../src/systemd/unit-file.ts';

const of = (config: Partial<RuntimeConfig>): Privileges =>
  privilegesOf({ ociVersion: '1.0.2', ...config }, []);
const mountsOf = (...mounts: readonly RuntimeMount[]): Privileges['hostMounts'] =>
  of({ mounts: [...mounts] }).hostMounts;

describe('the privileges of a config', () => {
  it('are the capabilities of every set (capability outside the bounding set)', () => {
    const capabilities = {
      bounding: [],
      permitted: ['CAP_SYS_ADMIN'],
      inheritable: ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'],
    };
    assert.deepEqual(of({ process: { capabilities } }).capabilities, [
      'CAP_NET_ADMIN',
      'CAP_SYS_ADMIN',
    ]);
  });

  it('are the namespaces of others that it joins (host network joined by path)', () => {
    const namespaces = [
      { type: 'network', path: '/proc/1/ns/net' },
      { type: 'pid', path: '' },
      { type: 'mount' },
    ];
    assert.deepEqual(of({ linux: { namespaces } }).sharedNamespaces, [
      'network of /proc/1/ns/net',
      'ipc',
      'uts',
      'user',
      'cgroup',
    ]);
  });

  it('are a bind that is writable by its last option (read-only bind that is not)', () => {
    const bind = { destination: '/b', type: 'bind', source: '/etc' };
    const written = [['ro', 'rw'], ['rw', 'ro'], ['ro'], []].map(
      (options) => mountsOf({ ...bind, options })[0]?.writable,
    );
    assert.deepEqual(written, [true, false, false, true]);
  });

  it('are file systems of the host, but not those that the kernel makes for it (disk mounted by type)', () => {
    assert.deepEqual(
      mountsOf(
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
        { destination: '/disk', type: 'ext4', source: '/dev/sda1', options: ['ro'] },
        { destination: '/o', type: 'overlay', source: 'o', options: ['lowerdir=/etc'] },
      ),
      [
        { source: 'ext4 of /dev/sda1', destination: '/disk', writable: false },
        { source: 'overlay of o lowerdir=/etc', destination: '/o', writable: true },
      ],
    );
  });

  it('are its hooks with their arguments, whatever stands there (hooks run on the host)', () => {
    const hooks = { prestart: [{ path: '/bin/sh', args: ['sh', '-c', 'x'] }, 5], poststop: 'y' };
    assert.deepEqual(of({ hooks }).hostCommands, [
      'hook /bin/sh -c x',
      'hook undefined',
      'hook undefined',
    ]);
  });
});

describe('the commands of a unit that run on the host', () => {
  const BY_RUNC: LaunchWith = {
    launcher: 'runc',
    runtime: { path: '/usr/bin/runc', kind: 'runc', version: '' },
  };
  const UNIT = `[Service]
ExecStartPre=-/usr/bin/runc delete --force x
ExecStartPre=/bin/sh -c evil
ExecStart=/usr/bin/runc run x
[Service]
ExecStopPost=+/bin/more
`;
  const commands = (how: LaunchWith, kind: 'container' | 'host-program'): readonly string[] => {
    const draft = new UnitDraft(parseUnit(UNIT, 'x.service'));
    return hostCommands(draft, { name: 'x', how, kind, execStart: '/usr/bin/runc run x' });
  };

  it('are all that sysct did not write', () => {
    assert.deepEqual(commands(BY_RUNC, 'container'), [
      'ExecStartPre=/bin/sh -c evil',
      'ExecStopPost=+/bin/more',
    ]);
  });

  it('are in a chroot those that are not confined to it', () => {
    assert.deepEqual(commands({ launcher: 'chroot' }, 'container'), ['ExecStopPost=+/bin/more']);
  });
});
