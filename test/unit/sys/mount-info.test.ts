// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mountsWithin, parseMountInfo } from '../../../src/sys/mount-info.ts';

const TEXT = String.raw`22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 98:0 /mnt1 /mnt\0402 ro,noatime master:1 propagate_from:2 - ext4 /dev/root rw,errors=continue
45 27 0:39 / /run/a/rootfs ro,relatime shared:7 - overlay overlay ro,lowerdir=/run/a/meta:/objects
46 45 0:40 / /run/a/rootfs/proc rw - proc proc rw
47 27 0:41 / /run/ab rw - tmpfs tmpfs rw
`;

describe('parseMountInfo', () => {
  it('reads lines with and without optional fields', () => {
    assert.deepEqual(parseMountInfo(TEXT).slice(0, 2), [
      {
        mountID: 22,
        parentID: 27,
        device: '0:21',
        root: '/',
        mountPoint: '/proc',
        options: ['rw', 'relatime'],
        type: 'proc',
        source: 'proc',
        superOptions: ['rw'],
      },
      {
        mountID: 36,
        parentID: 35,
        device: '98:0',
        root: '/mnt1',
        mountPoint: '/mnt 2',
        options: ['ro', 'noatime'],
        type: 'ext4',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
    ]);
  });

  it('reads an empty text as no mounts', () => {
    assert.deepEqual(parseMountInfo(''), []);
  });
});

describe('mountsWithin', () => {
  const points = (directory: string): string[] =>
    mountsWithin(parseMountInfo(TEXT), directory).map(({ mountPoint }) => mountPoint);

  it('lists the mount at a directory after those below it', () => {
    assert.deepEqual(points('/run/a/rootfs'), ['/run/a/rootfs/proc', '/run/a/rootfs']);
  });

  it('does not take a longer name for a directory below', () => {
    assert.deepEqual(points('/run/a'), ['/run/a/rootfs/proc', '/run/a/rootfs']);
  });

  it('finds every mount within the root', () => {
    assert.equal(points('/').length, 5);
  });
});
