// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseImageConfig } from '../../../src/oci/image-config.ts';

const DIFF_ID = `sha256:${'2'.repeat(64)}`;
const parse = (value: unknown) =>
  parseImageConfig(Buffer.from(JSON.stringify(value)), 'config of x');

describe('parseImageConfig', () => {
  it('reads what a container needs', () => {
    const config = parse({
      os: 'linux',
      architecture: 'amd64',
      created: '2026-01-01T00:00:00Z',
      rootfs: { type: 'layers', diff_ids: [DIFF_ID] },
      config: {
        User: 'etcd',
        Entrypoint: ['/etcd'],
        Cmd: null,
        Env: ['A=b'],
        Volumes: { '/data': {} },
        StopSignal: 'SIGINT',
      },
    });
    assert.deepEqual(config.diffIds, [DIFF_ID]);
    assert.deepEqual(config.platform, { os: 'linux', architecture: 'amd64', variant: '' });
    assert.deepEqual(config.execution.entrypoint, ['/etcd']);
    assert.deepEqual(config.execution.cmd, []);
    assert.deepEqual(config.execution.volumes, ['/data']);
    assert.equal(config.execution.stopSignal, 'SIGINT');
  });

  it('reads a config without a config member as empty', () => {
    assert.equal(parse({ rootfs: { diff_ids: [] } }).execution.user, '');
  });

  const refused = [
    { name: 'no rootfs', value: {}, why: /diff_ids/ },
    {
      name: 'a diffID that is no digest',
      value: { rootfs: { diff_ids: ['x'] } },
      why: /diff_ids\[0\]/,
    },
    {
      name: 'an Env that is no list',
      value: { rootfs: { diff_ids: [] }, config: { Env: 'A=b' } },
      why: /Env/,
    },
    {
      name: 'a number among Cmd',
      value: { rootfs: { diff_ids: [] }, config: { Cmd: [1] } },
      why: /Cmd\[0\]/,
    },
    {
      name: 'a40: a NUL in Env',
      value: { rootfs: { diff_ids: [] }, config: { Env: ['A=\0'] } },
      why: /NUL/,
    },
    {
      name: 'a label that is no string',
      value: { rootfs: { diff_ids: [] }, config: { Labels: { a: 1 } } },
      why: /not a string/,
    },
  ];
  for (const { name, value, why } of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parse(value), { message: why });
    });
  }
});
