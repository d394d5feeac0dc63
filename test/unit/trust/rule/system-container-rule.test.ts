// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { describeVerdict, refusal } from '../../../../src/trust/verdict/describe-verdict.ts';
import {
  applySystemContainerRule,
  unsignedAdmission,
} from '../../../../src/trust/rule/system-container-rule.ts';
import type { RequirementOutcome, Verdict } from '../../../../src/trust/verdict/verdict.ts';

const ANYTHING: RequirementOutcome = { type: 'insecureAcceptAnything' };
const SIGNED: RequirementOutcome = {
  type: 'signedBy',
  keyFingerprint: 'A'.repeat(40),
  signedIdentity: 'a.b/c:1',
  signatureSource: '/s',
  signedAt: '2026-01-01T00:00:00.000Z',
};

function admitted(
  transport: string,
  scope: string | undefined,
  outcomes: readonly RequirementOutcome[],
): Verdict {
  const rule = { policyFile: '/etc/containers/policy.json', transport, scope, line: 2 };
  const unsigned = unsignedAdmission(rule, outcomes);
  return { allowed: true, rule, outcomes, unsigned, manifestDigest: sha256('') };
}

describe('applySystemContainerRule', () => {
  const rows: readonly (readonly [
    string,
    string | undefined,
    readonly RequirementOutcome[],
    boolean,
    string,
  ])[] = [
    ['docker', undefined, [ANYTHING], false, 'unsigned (by default)'],
    ['docker', '', [ANYTHING], false, 'unsigned (by default)'],
    ['dir', '', [ANYTHING], false, 'unsigned (by default)'],
    ['oci-archive', '', [ANYTHING, ANYTHING], false, 'unsigned (by default)'],
    ['docker-archive', undefined, [ANYTHING], false, 'unsigned (by default)'],
    // A docker archive has no narrower scope: "" is the policy's only way to say yes.
    ['docker-archive', '', [ANYTHING], true, 'unsigned (by scope)'],
    ['docker', '*.example.com', [ANYTHING], true, 'unsigned (by scope)'],
    ['docker', 'quay.io', [ANYTHING], true, 'unsigned (by scope)'],
    ['dir', '/srv', [ANYTHING], true, 'unsigned (by scope)'],
    ['docker', undefined, [SIGNED], true, 'signed by AAAAAAAAAAAAAAAA'],
    ['docker', undefined, [ANYTHING, SIGNED], true, 'signed by AAAAAAAAAAAAAAAA'],
  ];
  for (const [transport, scope, outcomes, allowed, text] of rows) {
    const where = scope === undefined ? 'the policy default' : `${transport} scope "${scope}"`;
    const by = outcomes.map(({ type }) => type).join(' and ');
    it(`${allowed ? 'lets in' : 'refuses'} what ${where} admits by ${by}`, () => {
      const verdict = admitted(transport, scope, outcomes);
      assert.equal(describeVerdict(verdict), text);
      assert.equal(applySystemContainerRule(verdict, { allowUnsigned: false }).allowed, allowed);
      assert.equal(applySystemContainerRule(verdict, { allowUnsigned: true }), verdict);
    });
  }

  it('says which rule it is about and what to do', () => {
    const verdict = applySystemContainerRule(admitted('docker', undefined, [ANYTHING]), {
      allowUnsigned: false,
    });
    assert.ok(!verdict.allowed);
    const error = refusal(verdict, 'docker://a.b/c:1');
    assert.equal(error.code, 'REFUSED');
    assert.match(
      error.message,
      /^docker:\/\/a\.b\/c:1 is refused by policy: .*policy\.json:2, default\), which is not enough/,
    );
    assert.match(error.hint ?? '', /--allow-unsigned/);
  });

  it('leaves a refusal as it is', () => {
    const rule = { policyFile: 'p', transport: 'docker', scope: undefined };
    const verdict: Verdict = {
      allowed: false,
      rule,
      reasons: ['no'],
      hint: undefined,
      manifestDigest: sha256(''),
    };
    assert.equal(applySystemContainerRule(verdict, { allowUnsigned: true }), verdict);
    assert.equal(refusal(verdict, 'x').hint, undefined);
  });
});
