// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runtimeConfigFromImage } from '../../../src/launch/runtime-config-from-image.ts';
import type { ExecutionConfig } from '../../../src/oci/image-config.ts';

const EXECUTION: ExecutionConfig = {
  user: '',
  entrypoint: ['/bin/httpd'],
  cmd: ['-p', '80'],
  env: [],
  workingDir: '',
  volumes: [],
  exposedPorts: [],
  stopSignal: undefined,
  labels: {},
};
const TARGET = { name: 'web', stateDirectory: '/var/lib', launcher: 'runc' } as const;

function make(execution: Partial<ExecutionConfig>, target: object = {}) {
  const image = {
    execution: { ...EXECUTION, ...execution },
    passwd: 'web:x:33:34::/www:/bin/sh\n',
    group: undefined,
  };
  return runtimeConfigFromImage(image, { ...TARGET, ...target });
}

describe('runtimeConfigFromImage', () => {
  it('runs Entrypoint and Cmd, with the least that they need', () => {
    const { config } = make({});
    assert.deepEqual(config.process?.args, ['/bin/httpd', '-p', '80']);
    assert.equal(config.process?.noNewPrivileges, true);
    assert.equal(config.root?.readonly, true);
    assert.equal(config.process?.capabilities?.bounding?.length, 11);
    assert.deepEqual(
      config.linux?.namespaces?.map(({ type }) => type),
      ['pid', 'ipc', 'uts', 'mount'],
    );
    assert.deepEqual(config.linux?.resources?.devices, [{ allow: false, access: 'rwm' }]);
  });

  it('gives other users than root no capabilities', () => {
    const { config } = make({ user: 'web' });
    assert.deepEqual(config.process?.user, { uid: 33, gid: 34 });
    assert.deepEqual(config.process?.capabilities?.bounding, []);
  });

  it('makes a state directory of each volume, once, for the user', () => {
    const { config, volumes } = make({ user: 'web', volumes: ['/data/', '/data', 'logs', '/'] });
    assert.deepEqual(volumes, [
      { path: '/var/lib/web/data', destination: '/data', uid: 33, gid: 34 },
      { path: '/var/lib/web/logs', destination: '/logs', uid: 33, gid: 34 },
    ]);
    const binds = config.mounts?.filter(({ type }) => type === 'bind');
    assert.deepEqual(binds?.at(1), {
      destination: '/logs',
      type: 'bind',
      source: '/var/lib/web/logs',
      options: ['rbind', 'rprivate', 'rw'],
    });
  });

  it('lets a volume on /etc not hide the files of the host’s network', () => {
    const destinations = make({ volumes: ['/etc'] }).config.mounts?.map((m) => m.destination);
    assert.deepEqual(destinations?.slice(-3), ['/etc', '/etc/resolv.conf', '/etc/hosts']);
  });

  it('lets a volume not climb out of the state directory', () => {
    const { volumes } = make({ volumes: ['/../../etc'] });
    assert.deepEqual(
      volumes.map(({ path }) => path),
      ['/var/lib/web/etc'],
    );
  });

  it('has PATH and HOME, and the last of two equal variables', () => {
    const { config } = make({
      user: 'web',
      env: ['A=1', 'PATH=/x', 'A=2', 'EMPTY=', '=bad', 'bad'],
    });
    assert.deepEqual(config.process?.env, ['PATH=/x', 'HOME=/www', 'A=2', 'EMPTY=']);
  });

  it('starts in WorkingDir', () => {
    assert.equal(make({ workingDir: '/www/../srv' }).config.process?.cwd, '/srv');
    assert.equal(make({}).config.process?.cwd, '/');
  });

  it('binds only what the host has', () => {
    const { config } = make({}, { hostHas: (path: string) => path === '/etc/hosts' });
    const sources = config.mounts
      ?.filter(({ type }) => type === 'bind')
      .map(({ source }) => source);
    assert.deepEqual(sources, ['/etc/hosts']);
  });

  it('asks in a chroot only for what every systemd can give', () => {
    const { config } = make({}, { launcher: 'chroot' });
    assert.equal(config.hostname, undefined);
    assert.deepEqual(config.linux?.namespaces, [{ type: 'ipc' }, { type: 'mount' }]);
  });

  it('makes a host name of any container name', () => {
    assert.equal(make({}, { name: 'a.b:c_d' }).config.hostname, 'a-b-c-d');
    assert.equal(make({}, { name: '__' }).config.hostname, 'container');
  });

  it('refuses an image that says nothing to run', () => {
    assert.throws(() => make({ entrypoint: [], cmd: [] }), { code: 'NO_COMMAND' });
  });
});
