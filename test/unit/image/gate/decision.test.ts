// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { type Decision, printDecision } from '../../../../src/image/gate/decision.ts';

const RULE = { policyFile: '/etc/containers/policy.json', transport: 'docker', scope: undefined };

const REFUSED: Decision = {
  at: '2026-11-26T20:00:00.000Z',
  verb: 'pull',
  source: 'docker://registry.example/app:1',
  judged: 'at-source',
  container: undefined,
  indexDigest: undefined,
  verdict: {
    allowed: false,
    rule: RULE,
    reasons: ['the policy rejects it'],
    hint: undefined,
    manifestDigest: sha256(Buffer.from('manifest')),
  },
};

function withReasons(...reasons: readonly string[]): Decision {
  return { ...REFUSED, verdict: { ...REFUSED.verdict, allowed: false, reasons, hint: undefined } };
}

function read(line: string): { verdict: { reasons: readonly string[] } } {
  return JSON.parse(line) as { verdict: { reasons: readonly string[] } };
}

describe('a line of the ledger', () => {
  it('says version, time, verb, source, digest and verdict', () => {
    assert.deepEqual(JSON.parse(printDecision(REFUSED)), {
      version: 1,
      at: '2026-11-26T20:00:00.000Z',
      verb: 'pull',
      source: 'docker://registry.example/app:1',
      judged: 'at-source',
      manifestDigest: sha256(Buffer.from('manifest')),
      verdict: {
        allowed: false,
        rule: { policyFile: '/etc/containers/policy.json', transport: 'docker' },
        reasons: ['the policy rejects it'],
      },
    });
  });

  it('is one line, whatever a signature says of itself', () => {
    const line = printDecision(withReasons('first\nsecond\r\u001b[2J\u202e\u2028'));
    assert.match(line, /^[^\n\r\u001b\u202e\u2028]*\n$/);
    assert.equal(read(line).verdict.reasons[0], 'first\nsecond\r\u001b[2J\u202e\u2028');
  });

  it('is bounded, however long a text is and however many there are', () => {
    const line = printDecision(withReasons(...Array<string>(10_000).fill('x'.repeat(4_000_000))));
    assert.ok(line.length < 100 * 1024, `${line.length} bytes`);
    const { reasons } = read(line).verdict;
    assert.equal(reasons.length, 33);
    assert.equal(reasons[32], 'and 9968 more');
  });
});
