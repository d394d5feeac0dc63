// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { spawnAttached } from '../../../../src/cli/parts/spawn-attached.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const MODULE = JSON.stringify(import.meta.resolve('../../../../src/cli/parts/spawn-attached.ts'));

function shell(script: string, runtimeLog?: string): Promise<number> {
  return spawnAttached({ command: 'sh', args: ['-c', script], env: undefined, runtimeLog });
}

describe('a command on our own terminal', () => {
  it("gives its own status, and a shell's for a signal and for what is not there", async () => {
    assert.equal(await shell('exit 7'), 7);
    assert.equal(await shell('kill -KILL $$'), 137);
    const missing = { command: '/no/such', args: [], env: undefined, runtimeLog: undefined };
    assert.equal(await spawnAttached(missing), 127);
  });

  it('is told from a runtime that failed by what the runtime wrote, and the log is removed', async () => {
    using tmp = temporaryDirectory('spawn');
    const log = join(tmp.directory, 'log');
    const message = 'exec failed: unable to start container process: exec: "x": permission denied';
    writeFileSync(log, JSON.stringify({ level: 'error', msg: message }));
    assert.equal(await shell('exit 255', log), 126);
    assert.ok(!existsSync(log));
    writeFileSync(log, '');
    assert.equal(await shell('exit 255', log), 255);
    assert.equal(await shell('exit 127', log), 125, 'the runtime wrote no log: it never ran');
  });

  it('gets the signals that are sent to sysct', async () => {
    const script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const program = `
      import { spawnAttached } from ${MODULE};
      const invocation = { command: 'sh', args: ['-c', ${JSON.stringify(script)}], env: undefined, runtimeLog: undefined };
      process.exitCode = await spawnAttached(invocation);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [9, null]);
  });
});
