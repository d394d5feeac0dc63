// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DEFAULT_TIMING,
  parseRetryAfter,
  retryDelayMs,
} from '../../../../src/registry/http/timing.ts';

describe('retryDelayMs', () => {
  const delay = (attempt: number, retryAfterMs: number | undefined, random: number): number =>
    retryDelayMs(attempt, retryAfterMs, DEFAULT_TIMING, random);

  it('doubles, and cuts up to a half at random', () => {
    assert.deepEqual(
      [1, 2, 3].map((attempt) => delay(attempt, undefined, 0)),
      [1000, 2000, 4000],
    );
    assert.equal(delay(3, undefined, 1), 2000);
  });
  it('waits at least as long as the server asks', () => assert.equal(delay(1, 7000, 0.5), 7000));
  it('a31: never waits longer than a minute', () => {
    assert.equal(delay(1, 86_400_000, 0), 60_000);
    assert.equal(delay(30, undefined, 0), 60_000);
  });

  it('is what the user fixed, and no less than the server asked for within the cap', () => {
    const fixed = { ...DEFAULT_TIMING, fixedDelayMs: 100 };
    assert.equal(retryDelayMs(4, undefined, fixed, 0.5), 100);
    assert.equal(retryDelayMs(1, 7000, fixed, 0), 7000);
    assert.equal(retryDelayMs(1, 1e9, fixed, 0), DEFAULT_TIMING.longestWaitMs);
    const long = { ...DEFAULT_TIMING, fixedDelayMs: 300_000 };
    assert.equal(retryDelayMs(1, undefined, long, 0), 300_000);
  });
});

describe('parseRetryAfter', () => {
  const NOW = Date.parse('2026-11-21T05:00:00Z');
  const cases: readonly [header: string | undefined, ms: number | undefined][] = [
    [undefined, undefined],
    ['3', 3000],
    [' 0 ', 0],
    ['Sat, 21 Nov 2026 05:00:10 GMT', 10_000],
    ['Sat, 21 Nov 2020 05:00:10 GMT', 0],
    ['soon', undefined],
  ];
  for (const [header, ms] of cases) {
    it(`reads ${JSON.stringify(header)} as ${ms}`, () => {
      assert.equal(parseRetryAfter(header, NOW), ms);
    });
  }
});
