// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { execValues } from '../../../src/launch/exec-values.ts';
import type { RuntimeConfig } from '../../../src/oci/runtime-config.ts';

const runtime = { path: '/opt/my runtime', kind: 'other', version: '' } as const;
const config = (args: string[], cwd = '/'): RuntimeConfig => ({
  ociVersion: '1.0.2',
  process: { args, cwd },
});

describe('execValues', () => {
  it('runs the runtime in the foreground, and leaves the rest to systemd', () => {
    assert.deepEqual(execValues('etcd', config(['x']), { launcher: 'runc', runtime }), {
      EXEC_START: '"/opt/my runtime" run etcd',
      EXEC_STOP: '',
      EXEC_STARTPRE: '',
      EXEC_STOPPOST: '',
    });
  });

  const cases: readonly (readonly [string[], string])[] = [
    [['/bin/sh', '-c', 'echo "$A" 5% ;'], '/bin/sh -c "echo \\"$$A\\" 5%% ;"'],
    [['bin/x'], '/srv/bin/x'],
    [['httpd'], 'httpd'],
  ];
  for (const [args, line] of cases) {
    it(`is ${line} in a chroot`, () => {
      const values = execValues('x', config(args, '/srv'), { launcher: 'chroot' });
      assert.equal(values.EXEC_START, line);
    });
  }

  for (const [args, code] of [
    [[], 'NO_COMMAND'],
    [['-x'], 'UNSUPPORTED_BY_LAUNCHER'],
    [['a b'], 'UNSUPPORTED_BY_LAUNCHER'],
  ] as const) {
    it(`refuses ${JSON.stringify(args)} in a chroot`, () => {
      assert.throws(() => execValues('x', config([...args]), { launcher: 'chroot' }), { code });
    });
  }
});
