// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AdaptationLog } from '../../../src/launch/adaptation-log.ts';
import { adaptRuntimeConfig } from '../../../src/launch/adapt-runtime-config.ts';
import type { RuntimeConfig } from '../../../src/oci/runtime-config.ts';

const FACTS = {
  capabilities: new Set(['CAP_CHOWN', 'CAP_KILL']),
  selinuxEnabled: false,
  systemdVersion: 252,
  uids: new Set([0]),
  gids: new Set([0]),
};
const MODERN: RuntimeConfig = {
  ociVersion: '1.0.2',
  process: { args: ['/bin/sh'], cwd: '/', user: { uid: 0, gid: 0 }, capabilities: {} },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/dev', type: 'tmpfs' }],
  linux: { namespaces: [{ type: 'mount' }] },
};

function adapt(config: Partial<RuntimeConfig>, facts: object = {}) {
  const log = new AdaptationLog();
  const target = { facts: { ...FACTS, ...facts }, rootfs: '/run/root' };
  const { config: adapted, limits } = adaptRuntimeConfig({ ...MODERN, ...config }, target, log);
  return { config: adapted, limits, notes: log.notes, refusals: log.refusals };
}

describe('adaptRuntimeConfig', () => {
  it('changes nothing but the root in a config of today', () => {
    const { config, notes, refusals } = adapt({});
    assert.deepEqual(notes, []);
    assert.deepEqual(refusals, []);
    assert.deepEqual(config, {
      ...MODERN,
      process: { ...MODERN.process, terminal: false },
      root: { path: '/run/root', readonly: true },
    });
  });

  const process = MODERN.process ?? {};
  const noted: readonly (readonly [
    string,
    Partial<RuntimeConfig>,
    RegExp,
    (c: RuntimeConfig) => void,
  ])[] = [
    [
      'an old ociVersion',
      { ociVersion: '0.3.0' },
      /ociVersion "0\.3\.0" written as 1\.0\.2/,
      (config) => assert.equal(config.ociVersion, '1.0.2'),
    ],
    [
      'capabilities that the host lacks, and unknown ones',
      {
        process: { ...process, capabilities: { bounding: ['CAP_SYS_ADMIN', 'cap_kill', 'CAP_X'] } },
      },
      /CAP_X.*\n.*CAP_SYS_ADMIN/s,
      (config) => assert.deepEqual(config.process?.capabilities, { bounding: ['CAP_KILL'] }),
    ],
    [
      'an SELinux label where SELinux is off',
      { process: { ...process, selinuxLabel: 'a:b:c:s0' } },
      /SELinux is off/,
      (config) => assert.equal('selinuxLabel' in (config.process ?? {}), false),
    ],
    [
      'a terminal',
      { process: { ...process, terminal: true } },
      /no terminal/,
      (config) => assert.equal(config.process?.terminal, false),
    ],
    [
      'a writable root',
      { root: { path: 'x', readonly: false } },
      /read-only/,
      (config) => assert.equal(config.root?.readonly, true),
    ],
    [
      'a host name without a namespace for it',
      { hostname: 'x' },
      /hostname "x" is left out/,
      (config) => assert.equal(config.hostname, undefined),
    ],
    [
      'a control group of its own',
      { linux: { namespaces: [{ type: 'mount' }], cgroupsPath: '/x' } },
      /cgroupsPath/,
      (config) => assert.equal(config.linux?.cgroupsPath, undefined),
    ],
    [
      'a missing mount namespace',
      { linux: {} },
      /mount namespace/,
      (config) => assert.deepEqual(config.linux?.namespaces, [{ type: 'mount' }]),
    ],
    [
      'a missing /dev',
      { mounts: [] },
      /\/dev/,
      (config) => assert.equal(config.mounts?.[0]?.destination, '/dev'),
    ],
    [
      'hooks, which it keeps',
      { hooks: { prestart: [{ path: '/bin/hook' }] } },
      /runs on the host: "\/bin\/hook"/,
      (config) => assert.ok(config['hooks']),
    ],
  ];
  for (const [name, config, note, look] of noted) {
    it(`tells of ${name}`, () => {
      const adapted = adapt(config);
      assert.match(adapted.notes.join('\n'), note);
      assert.deepEqual(adapted.refusals, []);
      look(adapted.config);
    });
  }

  it('keeps SELinux labels where SELinux is on', () => {
    const config = { process: { ...process, selinuxLabel: 'l' }, linux: { mountLabel: 'm' } };
    const adapted = adapt(config, { selinuxEnabled: true }).config;
    assert.equal(adapted.process?.selinuxLabel, 'l');
    assert.equal(adapted.linux?.mountLabel, 'm');
  });

  it('drops the platform, which the spec has forgotten', () => {
    assert.equal('platform' in adapt({ platform: { os: 'linux' } }).config, false);
  });

  it('mends binds as they are in the field', () => {
    const mount = (options: string[], type = 'bind') =>
      adapt({
        mounts: [
          { destination: '/dev', type: 'tmpfs' },
          { destination: 'x/', type, source: '/y/', options },
        ],
      }).config.mounts?.[1];
    assert.deepEqual(mount(['rbind', 'ro', 'mode=755']), {
      destination: '/x',
      type: 'bind',
      source: '/y/',
      options: ['rbind', 'ro'],
    });
    assert.deepEqual(mount(['rw'], 'rbind')?.options, ['rbind', 'rw']);
    assert.deepEqual(mount(['bind', 'rw'], 'none')?.type, 'bind');
  });

  it('makes limits directives of the unit', () => {
    const { limits, config, refusals } = adapt({
      linux: {
        namespaces: [{ type: 'mount' }],
        resources: {
          memory: { limit: 1000, swap: 1500, reservation: -1 },
          cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: '0-1' },
          pids: { limit: 10 },
          blockIO: {},
        },
      },
    });
    assert.deepEqual(refusals, []);
    assert.equal(config.linux?.resources, undefined);
    assert.deepEqual(
      limits.map(({ key, value }) => `${key}=${value}`),
      [
        'MemoryMax=1000',
        'MemoryLow=infinity',
        'MemorySwapMax=500',
        'CPUWeight=39',
        'CPUQuota=50%',
        'AllowedCPUs=0-1',
        'TasksMax=10',
      ],
    );
  });

  it('refuses by name what no unit can say', () => {
    const { refusals } = adapt({
      mounts: [
        { destination: '/', type: 'tmpfs' },
        { destination: '/a', type: 'bind', source: 'b', options: ['bind'] },
      ],
      linux: { resources: { hugepageLimits: [{}], memory: { kernel: 1 } } },
    });
    assert.deepEqual(refusals, [
      'linux.resources.hugepageLimits.0',
      'linux.resources.memory.kernel',
      'mounts[0]: a mount over the root',
      'mounts[1]: the source "b" is not an absolute path of the host',
    ]);
  });

  it('refuses a config that runs nothing', () => {
    assert.throws(() => adapt({ process: {} }), { code: 'NO_COMMAND' });
  });
});
