// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HostRoot } from '../../../src/sys/host-root.ts';

describe('HostRoot', () => {
  let directory: string;
  let host: HostRoot;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'host-root-'));
    mkdirSync(join(directory, 'usr/lib'), { recursive: true });
    mkdirSync(join(directory, 'etc'));
    symlinkSync('usr/lib', join(directory, 'lib'));
    symlinkSync('/usr', join(directory, 'absolute'));
    symlinkSync('../../../../etc', join(directory, 'usr/up'));
    symlinkSync('loop', join(directory, 'loop'));
    host = new HostRoot(directory);
  });
  after(() => rmSync(directory, { recursive: true }));

  const cases = [
    { name: 'a plain path', path: '/etc/x', real: 'etc/x' },
    { name: 'a relative link', path: '/lib/systemd', real: 'usr/lib/systemd' },
    { name: 'an absolute link stays inside', path: '/absolute/lib', real: 'usr/lib' },
    { name: 'a link that climbs above the root stops at it', path: '/usr/up/x', real: 'etc/x' },
    { name: 'dots are clamped', path: '/../../etc/./x', real: 'etc/x' },
    { name: 'the last component is not followed', path: '/lib', real: 'lib' },
    { name: 'missing parents', path: '/a/b/c', real: 'a/b/c' },
  ];
  for (const { name, path, real } of cases) {
    it(`resolves ${name}`, () => assert.equal(host.resolve(path), join(directory, real)));
  }

  it('follows the last component when asked', () => {
    assert.equal(host.resolveFollowing('/lib'), join(directory, 'usr/lib'));
  });

  it('refuses relative paths, NUL bytes and link loops', () => {
    for (const path of ['etc', '/a\0b', '/loop/x']) {
      assert.throws(() => host.resolve(path), { code: 'HOST_PATH' });
    }
  });

  it('gives host paths back', () => {
    assert.equal(host.hostPathOf(join(directory, 'etc/x')), '/etc/x');
    assert.equal(new HostRoot('/').hostPathOf('/etc/x'), '/etc/x');
  });
});
