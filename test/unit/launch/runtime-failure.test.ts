// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { payloadStatusOf } from '../../../src/launch/runtime-failure.ts';

const START = 'exec failed: unable to start container process: ';

function logged(msg: string, level = 'error'): string {
  return `${JSON.stringify({ level, msg, time: '2026-01-01T00:00:00Z' })}\n`;
}

// As runc 1.1 and crun 1.8 write them.
const FAILURES: readonly [what: string, status: number, message: string, expected: number][] = [
  ['a path that is not there', 255, `${START}exec: "/x": stat /x: no such file or directory`, 127],
  ['a name not in PATH', 255, `${START}exec: "x": executable file not found in $PATH`, 127],
  ['a file that is no program', 255, `${START}exec: "/x": permission denied`, 126],
  ['another machine’s program', 1, 'runc run failed: exec /x: exec format error', 126],
  [
    'no such working directory',
    255,
    `${START}chdir to cwd ("/x") set in config.json failed: …`,
    126,
  ],
  ['a container that is gone', 255, 'exec failed: container does not exist', 125],
  ['no terminal', 255, 'exec failed: open /dev/tty: no such device or address', 125],
  ['a failed mount', 1, 'runc run failed: error mounting "/x": no such file or directory', 125],
  ['crun, not there', 1, 'executable file `x` not found in $PATH: No such file or directory', 127],
  ['crun, no program', 1, 'exec /x: Permission denied', 126],
];

describe('the status of a command that a runtime was to run', () => {
  for (const [what, status, message, expected] of FAILURES) {
    it(`is ${expected} for ${what}`, () => {
      const log = logged('unable to get oom kill count', 'warning') + logged(message);
      assert.equal(payloadStatusOf(status, log), expected);
    });
  }

  it("is the command's own when it ran", () => {
    assert.equal(payloadStatusOf(0, ''), 0);
    assert.equal(payloadStatusOf(255, ''), 255);
    assert.equal(payloadStatusOf(3, logged('something odd', 'warning')), 3);
    assert.equal(payloadStatusOf(1, '{"level":"err'), 1);
  });
});
