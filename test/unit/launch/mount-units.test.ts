// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { additionalStoreDropIn, mountUnits } from '../../../src/launch/mount-units.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { parseUnit, unitValues } from '../../../src/systemd/unit-file.ts';
import { verifyUnits } from '../../../src/systemd/verify-unit.ts';

const UNITS = mountUnits(
  'my-db',
  [
    {
      what: '/s/50%.erofs',
      where: '/run/sysct/my-db/1/meta',
      type: 'erofs',
      options: ['ro', 'nodev'],
    },
    { what: 'overlay', where: '/run/sysct/my-db/1/rootfs', type: 'overlay', options: ['ro'] },
  ],
  ['/s'],
);

describe('mountUnits', () => {
  it('names them by their place', () => {
    assert.deepEqual(
      UNITS.map(({ name }) => name),
      ['run-sysct-my\\x2ddb-1-meta.mount', 'run-sysct-my\\x2ddb-1-rootfs.mount'],
    );
  });

  it('puts each on top of the store and of the one before', () => {
    const needs = UNITS.map(({ text }) =>
      unitValues(parseUnit(text, 'x'), 'Unit', 'RequiresMountsFor'),
    );
    assert.deepEqual(needs, [['/s/50%%.erofs /s'], ['/s /run/sysct/my-db/1/meta']]);
  });

  it('lets them go with the last who needs them, and hides them from other users', () => {
    for (const { text } of UNITS) {
      const unit = parseUnit(text, 'x');
      assert.deepEqual(unitValues(unit, 'Unit', 'StopWhenUnneeded'), ['yes']);
      assert.deepEqual(unitValues(unit, 'Unit', 'DefaultDependencies'), ['no']);
      assert.deepEqual(unitValues(unit, 'Mount', 'DirectoryMode'), ['0700']);
    }
  });

  it('makes units that systemd takes', async () => {
    const never = new AbortController().signal;
    assert.deepEqual(await verifyUnits(new HostRoot('/'), UNITS, never), []);
  });
});

describe('additionalStoreDropIn', () => {
  it('is all that ties a root to an additional store: its objects, and what it lies on', () => {
    const dropIn = additionalStoreDropIn('/run/sysct/my-db/1/rootfs', {
      store: '/srv/50% off',
      options: ['ro', 'lowerdir=/meta:/own:/srv/50% off/objects'],
    });
    assert.equal(dropIn.name, 'run-sysct-my\\x2ddb-1-rootfs.mount.d/50-additional-store.conf');
    const unit = parseUnit(dropIn.text, 'x');
    assert.deepEqual(unitValues(unit, 'Unit', 'RequiresMountsFor'), ['"/srv/50%% off"']);
    assert.deepEqual(unitValues(unit, 'Mount', 'Options'), [
      'ro,lowerdir=/meta:/own:/srv/50%% off/objects',
    ]);
  });
});
