// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { settleAll } from '../../../src/base/settle-all.ts';

describe('settling all', () => {
  it('gives all values in order', async () => {
    assert.deepEqual(await settleAll([wait(5, 'slow'), Promise.resolve('fast')]), ['slow', 'fast']);
  });

  it('fails with the first in order, when all have ended', async () => {
    let ended = 0;
    const end = async (ms: number, reason?: string): Promise<void> => {
      await wait(ms);
      ended += 1;
      if (reason !== undefined) throw new Error(reason);
    };
    await assert.rejects(settleAll([end(1), end(10, 'second'), end(1, 'third'), end(20)]), {
      message: 'second',
    });
    assert.equal(ended, 4);
  });
});
