// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watchdogMicroseconds } from '../../../src/launch/watchdog.ts';

describe('watchdogMicroseconds', () => {
  for (const [span, expected] of [
    ['30', '30000000'],
    ['1.5s', '1500000'],
    ['2min 3s', '123000000'],
    ['500ms', '500000'],
    ['1h', '3600000000'],
    ['0', undefined],
    ['infinity', undefined],
    ['3 fortnights', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    it(`takes ${span} for ${expected}`, () => {
      assert.equal(watchdogMicroseconds(span), expected);
    });
  }
});
