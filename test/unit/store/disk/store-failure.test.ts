// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProcessError } from '../../../../src/sys/process.ts';
import { StoreError } from '../../../../src/store/disk/store-error.ts';
import { storeFailure } from '../../../../src/store/disk/store-failure.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: failed, write`), { code, errno: -1, syscall: 'write' });
}

function namelessError(errno: number): Error {
  const code = `Unknown system error -${errno}`;
  return Object.assign(new Error(`${code}: ${code}, write`), {
    code,
    errno: -errno,
    syscall: 'write',
  });
}

describe('storeFailure', () => {
  const cases: readonly [error: Error, code: string][] = [
    [systemError('ENOSPC'), 'NO_SPACE'],
    [systemError('EDQUOT'), 'NO_SPACE'],
    // What Node makes of EDQUOT and EUCLEAN, which it does not know.
    [namelessError(122), 'NO_SPACE'],
    [namelessError(117), 'STORE_DAMAGED'],
    // What its rmSync makes of EROFS.
    [systemError('Unknown error: Read-only file system'), 'STORE_READ_ONLY'],
    [systemError('EROFS'), 'STORE_READ_ONLY'],
    [systemError('EACCES'), 'STORE_NOT_PERMITTED'],
    [systemError('EPERM'), 'STORE_NOT_PERMITTED'],
    [systemError('EIO'), 'STORE_DAMAGED'],
    [systemError('EUCLEAN'), 'STORE_DAMAGED'],
    [systemError('EMFILE'), 'STORE_IO_FAILED'],
    [
      new ProcessError('PROCESS_FAILED', 'sync exited with 1: x: Input/output error'),
      'STORE_DAMAGED',
    ],
    [
      new ProcessError('PROCESS_MISSING', 'running "sync": there is no such program'),
      'STORE_IO_FAILED',
    ],
  ];
  for (const [error, code] of cases) {
    it(`makes ${code} of ${error.message}`, () => {
      const failure = storeFailure('importing layer x', error);
      assert.ok(failure instanceof StoreError);
      assert.equal(failure.code, code);
      assert.equal(failure.cause, error);
      assert.match(failure.message, /^importing layer x: [^\n]+[^.\n]$/);
    });
  }

  it('says so to who is not root', (t) => {
    t.mock.method(process as { getuid: () => number }, 'getuid', () => 1000);
    const failure = storeFailure('opening store "/x"', systemError('EACCES'));
    assert.ok(failure instanceof StoreError);
    assert.equal(failure.message, 'opening store "/x": only root can do that');
    assert.equal(failure.hint, 'run it with sudo');
  });

  it('tells what went wrong first, not what went wrong in tidying up', () => {
    const error = new SuppressedError(systemError('EROFS'), systemError('EDQUOT'));
    const failure = storeFailure('importing layer x', error);
    assert.ok(failure instanceof StoreError);
    assert.equal(failure.code, 'NO_SPACE');
  });

  it('leaves alone what has a meaning already', () => {
    const abort = new DOMException('stopped', 'AbortError');
    const known = new StoreError('OBJECT_VANISHED', 'it is gone');
    for (const error of [abort, known, new TypeError('a bug')]) {
      assert.equal(storeFailure('importing', error), error);
    }
  });
});
