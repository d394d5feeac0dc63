// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DEFAULT_SETTINGS } from '../../src/cli/settings.ts';
import { runProcess } from '../../src/sys/process.ts';

const UNITS = join(import.meta.dirname, '../../units');

describe('the units that come with sysct', () => {
  for (const name of readdirSync(UNITS)) {
    it(`systemd-analyze has nothing against ${name}`, async () => {
      const { exitCode, stderr } = await runProcess('systemd-analyze', [
        'verify',
        '--man=no',
        join(UNITS, name),
      ]);
      assert.deepEqual(
        [exitCode, stderr.split('\n').filter((line) => line.includes(name))],
        [0, []],
      );
    });
  }

  it('system-containers.target comes before the daemons that the settings name', () => {
    const text = readFileSync(join(UNITS, 'system-containers.target'), 'utf8');
    const before = /^Before=(.*)$/m.exec(text)?.[1]?.split(' ');
    assert.deepEqual(
      before,
      DEFAULT_SETTINGS.before.filter((unit) => unit !== 'system-containers.target'),
    );
  });
});
