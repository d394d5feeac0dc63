// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { enterChroot } from '../../../../src/container/run/enter-chroot.ts';

function enter(environment: readonly string[], env: readonly string[] = []) {
  const request = {
    name: 'web',
    command: ['id', '-u'],
    terminal: false,
    user: undefined,
    workingDirectory: undefined,
    env,
  };
  return enterChroot(request, { mainPid: 42, uid: 1234, gid: 1235, environment });
}

describe('entering the root of a chrooted service', () => {
  it('executes the command as its user, in its namespaces', () => {
    const { args } = enter([]);
    assert.deepEqual(args.slice(-5), ['--setuid=1234', '--setgid=1235', '--', 'id', '-u']);
    assert.ok(args.includes('--target=42'));
  });

  it('gives the command the environment of the service, and what the user sets', () => {
    const { env } = enter(['PATH=/bin', 'A=b=c', 'E=', ''], ['A=d']);
    assert.deepEqual(env, { PATH: '/bin', A: 'd', E: '' });
  });

  // A volume lies on the host: PATH=/var/lib/web/data named a program there, which ran as the host's root.
  it('exec-path-escape: takes nsenter from the host, whatever PATH the image has', () => {
    assert.equal(enter(['PATH=/var/lib/web/data']).command, '/usr/bin/nsenter');
  });

  for (const name of ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'GCONV_PATH', 'GLIBC_TUNABLES', 'LOCPATH']) {
    it(`exec-loader-escape: does not pass ${name} to the host's loader`, () => {
      assert.deepEqual(enter([`${name}=/var/lib/web/data/x`, 'LANG=C']).env, { LANG: 'C' });
    });
  }
});
