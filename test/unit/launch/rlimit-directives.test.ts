// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AdaptationLog } from '../../../src/launch/adaptation-log.ts';
import { rlimitDirectives, splitRlimits } from '../../../src/launch/rlimit-directives.ts';

const rlimit = (type: string) => ({ type, soft: 10, hard: 20 });

describe('the limits of a config', () => {
  it('become directives of the unit, soft before hard', () => {
    const log = new AdaptationLog();
    assert.deepEqual(rlimitDirectives([rlimit('RLIMIT_NOFILE')], log), [
      { key: 'LimitNOFILE', value: '10:20' },
    ]);
    assert.deepEqual(rlimitDirectives([{ type: 'RLIMIT_CORE', soft: 0, hard: -1 }], log), [
      { key: 'LimitCORE', value: '0:infinity' },
    ]);
    assert.deepEqual(log.refusals, []);
  });

  it('that systemd has no word for are refused by name', () => {
    const log = new AdaptationLog();
    assert.deepEqual(rlimitDirectives([rlimit('RLIMIT_X')], log), []);
    assert.match(log.refusals.join(), /RLIMIT_X/);
  });

  it('that would keep the runtime itself from starting stay with the payload', () => {
    const { ofUnit, ofPayload } = splitRlimits(
      ['RLIMIT_NOFILE', 'RLIMIT_AS', 'RLIMIT_CPU'].map(rlimit),
    );
    assert.deepEqual(
      ofUnit.map(({ type }) => type),
      ['RLIMIT_NOFILE'],
    );
    assert.deepEqual(
      ofPayload.map(({ type }) => type),
      ['RLIMIT_AS', 'RLIMIT_CPU'],
    );
  });
});
