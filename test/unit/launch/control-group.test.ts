// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cgroupsPathFor } from '../../../src/launch/control-group.ts';

describe('cgroupsPathFor', () => {
  const cases = [
    ['etcd.service', 'runc', undefined, 'etcd.service/container'],
    ['etcd.service', 'other', 'a.slice', 'etcd.service/container'],
    ['etcd.service', 'crun', undefined, '/system.slice/etcd.service/container'],
    [
      'etcd.service',
      'crun',
      'a-b-c.slice',
      '/a.slice/a-b.slice/a-b-c.slice/etcd.service/container',
    ],
    ['etcd.service', 'crun', '-.slice', '/etcd.service/container'],
    [
      'web@8080.service',
      'crun',
      undefined,
      '/system.slice/system-web.slice/web@8080.service/container',
    ],
    // systemd escapes what would look like a file of the kernel.
    ['memory.service', 'runc', undefined, '_memory.service/container'],
    ['_x.service', 'runc', undefined, '__x.service/container'],
    ['cgroup.x.service', 'runc', undefined, '_cgroup.x.service/container'],
    ['memory.x.service', 'runc', undefined, 'memory.x.service/container'],
  ] as const;
  for (const [unit, kind, slice, path] of cases) {
    it(`puts ${unit} by ${kind} in ${slice ?? 'the default slice'} at ${path}`, () => {
      assert.equal(cgroupsPathFor(unit, kind, slice), path);
    });
  }
});
