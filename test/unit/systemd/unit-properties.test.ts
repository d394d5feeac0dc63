// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toUnitState } from '../../../src/systemd/unit-properties.ts';

const UNIT = new Map<string, unknown>([
  ['LoadState', 'loaded'],
  ['ActiveState', 'active'],
  ['SubState', 'running'],
  ['ActiveEnterTimestamp', 1_700_000_000_123_456n],
]);

describe('toUnitState', () => {
  it('reads times, and what is not accounted for as unknown', () => {
    const service = new Map<string, unknown>([
      ['MainPID', 0],
      ['Result', 'success'],
      ['MemoryCurrent', 18_446_744_073_709_551_615n],
    ]);
    const state = toUnitState('a.service', UNIT, service);
    assert.equal(state.activeSince, '2023-11-14T22:13:20.123Z');
    assert.equal(state.service?.memoryBytes, undefined);
    assert.equal(state.service?.mainPid, undefined);
    assert.equal(state.service?.execMainStatus, 0);
  });

  it('knows never from a time', () => {
    const never = new Map([...UNIT, ['ActiveEnterTimestamp', 0n] as const]);
    assert.equal(toUnitState('a.mount', never, undefined).activeSince, undefined);
  });

  it('tells memory in bytes', () => {
    const service = new Map<string, unknown>([['MemoryCurrent', 4096n]]);
    assert.equal(toUnitState('a.service', UNIT, service).service?.memoryBytes, 4096);
  });
});
