// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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

describe('runProcess', () => {
  it('keeps the signals of the terminal from the command', async () => {
    const [own, its] = await Promise.all([
      readFile('/proc/self/stat', 'utf8'),
      runProcess('cat', ['/proc/self/stat']),
    ]);
    assert.notEqual(sessionOf(its.stdout.toString()), sessionOf(own));
  });
});

/** proc_pid_stat(5): pid (comm) state ppid pgrp session */
function sessionOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')')).split(' ')[4];
}

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

  it('names the signal that ended it', async () => {
    await assert.rejects(runChecked('sh', ['-c', 'kill -TERM $$']), {
      code: 'PROCESS_FAILED',
      message: /was killed by SIGTERM: it printed nothing$/,
    });
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
