// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import {
  type BrokenContainer,
  VerificationResult,
} from '../../../../src/cli/output/verification-result.ts';
import type { VerifiedContainer } from '../../../../src/container/check/verify-container.ts';
import type { Finding } from '../../../../src/store/check/finding.ts';
import type { Verdict } from '../../../../src/trust/verdict/verdict.ts';

const DIGEST = sha256(Buffer.from('manifest'));
const RULE = { policyFile: '/p', transport: 'docker', scope: undefined };
const ADMITTED: Verdict = { allowed: true, rule: RULE, outcomes: [], manifestDigest: DIGEST };
const REFUSED: Verdict = {
  allowed: false,
  rule: RULE,
  reasons: ['the policy rejects\u001b[2J it'],
  hint: undefined,
  manifestDigest: DIGEST,
};
const DAMAGE: Finding = {
  kind: 'object',
  problem: 'damaged',
  name: DIGEST,
  seen: 'is empty',
  needs: [{ treeId: DIGEST, paths: ['bin/\u001b[2Jx'] }],
};

function container(more: Partial<VerifiedContainer> = {}): VerifiedContainer {
  return {
    ...{ name: 'app', generation: 1, source: 'docker://a.b/c:1', manifestDigest: DIGEST },
    ...{ verdict: ADMITTED, unjudged: undefined, recorded: ADMITTED, findings: [] },
    ...{ files: 1, readBytes: 1, remote: undefined },
    ...more,
  };
}

const whole = container();
const refused = container({ verdict: REFUSED });
const damaged = container({ findings: [DAMAGE] });
const unjudged = container({ verdict: undefined, unjudged: 'reading blob: it is not there' });
const broken: BrokenContainer = { name: 'app', problem: 'not JSON' };
const silent = container({ remote: { state: 'unreachable', reason: 'timed out' } });
const moved = container({ remote: { state: 'moved', manifestDigest: DIGEST } });
const gone = container({ remote: { state: 'gone', reason: '404' } });
const still = container({ remote: { state: 'unchanged' } });

describe('the exit status of verify', () => {
  type Case = readonly [what: string, status: number, ...(VerifiedContainer | BrokenContainer)[]];
  const cases: readonly Case[] = [
    ['nothing installed', 0],
    ['what is whole and admitted', 0, whole, still],
    ['what is refused', 5, refused],
    ['what is damaged', 8, damaged],
    ['what cannot be judged', 8, unjudged],
    ['records that cannot be read', 8, broken],
    ['a registry that does not answer', 6, silent],
    ['a tag that moved', 10, moved],
    ['a tag that is gone', 10, gone],
    ['one refused among all others', 5, moved, silent, damaged, refused, whole],
    ['one damaged among those not refused', 8, moved, silent, damaged, whole],
    ['one not answered for among whole ones', 6, moved, silent, whole],
    ['one moved among whole ones', 10, moved, whole],
    ['what is refused and damaged', 5, container({ verdict: REFUSED, findings: [DAMAGE] })],
    ['what is damaged and moved', 8, { ...moved, findings: [DAMAGE] }],
    ['strangers', 0, container({ findings: [{ ...DAMAGE, problem: 'stranger' }] })],
  ];
  for (const [what, status, ...containers] of cases) {
    it(`is ${status} for ${what}`, () => {
      assert.equal(new VerificationResult(containers).exitCode, status);
    });
  }
});

describe('what verify prints', () => {
  it('moves no cursor, whatever reasons and paths hold', () => {
    const result = new VerificationResult([refused, damaged, unjudged, broken, silent, gone]);
    assert.ok(!result.toText().includes('\u001b'));
    assert.match(result.toText(), /refused: the policy rejects\\x1b\[2J it$/m);
    assert.match(result.toText(), /paths bin\/\\x1b\[2Jx$/m);
  });
});
