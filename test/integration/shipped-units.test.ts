// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DEFAULT_SETTINGS } from '../../src/cli/context/settings.ts';
import { VERBS } from '../../src/cli/verbs/verbs.ts';
import { runProcess } from '../../src/sys/process.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const UNITS = join(import.meta.dirname, '../../units');

describe('the units that come with sysct', () => {
  for (const name of readdirSync(UNITS)) {
    it(`systemd-analyze has nothing against ${name}`, async () => {
      using tmp = temporaryDirectory('units');
      for (const unit of readdirSync(UNITS)) {
        // sysct is not installed where it is tested.
        const text = readFileSync(join(UNITS, unit), 'utf8');
        const stub = text.replaceAll(/^ExecStart=sysct /gm, 'ExecStart=/bin/true ');
        writeFileSync(join(tmp.directory, unit), stub);
      }
      const { exitCode, stderr } = await runProcess('systemd-analyze', [
        'verify',
        '--man=no',
        join(tmp.directory, name),
      ]);
      assert.deepEqual(
        [exitCode, stderr.split('\n').filter((line) => line.includes(name))],
        [0, []],
      );
    });
  }

  it('what they start are verbs of sysct, with options that these have', () => {
    for (const name of readdirSync(UNITS)) {
      const text = readFileSync(join(UNITS, name), 'utf8');
      for (const [, command = ''] of text.matchAll(/^ExecStart=(.*)$/gm)) {
        const [program, verb, ...options] = command.split(' ');
        const known = VERBS.find((candidate) => candidate.name === verb);
        assert.equal(program, 'sysct', name);
        assert.ok(known, command);
        for (const option of options) {
          assert.ok(
            known.options.some(({ flags }) => flags.split(/[ ,]+/).includes(option)),
            `${verb} has no ${option}`,
          );
        }
      }
    }
  });

  it('system-containers.target comes before the daemons that the settings name', () => {
    const text = readFileSync(join(UNITS, 'system-containers.target'), 'utf8');
    const before = /^Before=(.*)$/m.exec(text)?.[1]?.split(' ');
    assert.deepEqual(
      before,
      DEFAULT_SETTINGS.before.filter((unit) => unit !== 'system-containers.target'),
    );
  });
});
