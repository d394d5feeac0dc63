// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { FileLock } from '../../src/sys/flock.ts';
import { runChecked, runProcess } from '../../src/sys/process.ts';

describe('FileLock', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flock-'));
  after(() => rmSync(directory, { recursive: true }));

  it('excludes other holders until it is released', async () => {
    const path = join(directory, 'lock');
    const first = await FileLock.acquire(path, 'exclusive');
    assert.equal(await FileLock.tryAcquire(path, 'shared'), undefined);
    first.release();
    const second = await FileLock.tryAcquire(path, 'shared');
    const third = await FileLock.tryAcquire(path, 'shared');
    assert.ok(second !== undefined && third !== undefined);
    second.release();
    third.release();
  });

  it('locks directories', async () => {
    using lock = await FileLock.acquire(directory, 'exclusive');
    assert.ok(lock);
    assert.equal(await FileLock.tryAcquire(directory, 'exclusive'), undefined);
  });

  it('is seen by flock(1) of another process', async () => {
    const path = join(directory, 'seen');
    using lock = await FileLock.acquire(path, 'exclusive');
    assert.ok(lock);
    assert.equal((await runProcess('flock', ['--nonblock', path, 'true'])).exitCode, 1);
  });
});

describe('runChecked', () => {
  it('says what failed and the last line it printed', async () => {
    await assert.rejects(
      runChecked('sh', ['-c', 'echo first >&2; echo no such thing >&2; exit 3']),
      {
        code: 'PROCESS_FAILED',
        message: /exited with 3: no such thing$/,
      },
    );
  });

  it('names a program that is not there', async () => {
    await assert.rejects(runChecked('no-such-program', []), {
      code: 'PROCESS_MISSING',
      hint: /install/,
    });
  });

  it('stops when asked', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await assert.rejects(runChecked('sleep', ['30'], { signal: abort.signal }), {
      message: 'enough',
    });
  });
});
