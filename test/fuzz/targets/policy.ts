// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { editPolicy } from '../../../src/trust/edit/edit-policy.ts';
import { parsePolicy, type Policy } from '../../../src/trust/policy/policy.ts';
import { chooseRule, coveringRules } from '../../../src/trust/policy/scope-lookup.ts';
import { POLICY_CASES } from '../../support/trust/policy-cases.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const FILE = '/etc/containers/policy.json';
const PLACE = /^\/etc\/containers\/policy\.json:\d+:\d+: /;
const IDENTITIES = [
  ['docker', 'registry.example:5000/a/b:c'],
  ['docker', `a.b/c@sha256:${'0'.repeat(64)}`],
  ['dir', '/a/b'],
  ['docker-archive', ''],
] as const;
const SCOPE = { transport: 'docker', scope: 'registry.example:5000/a' } as const;
const REQUIREMENT = { type: 'reject' } as const;

/** policy.json: errors name the place, what is taken decides for every image, and an edit changes what it is about. */
export const target: FuzzTarget = {
  seeds: POLICY_CASES.map(({ text }) => Buffer.from(text)),
  maxLength: 2048,
  run: (input) => {
    const text = input.toString('utf8');
    const policy = unlessRefused(() => placed(text), 'TrustError');
    if (policy === undefined) return;
    for (const [transport, identity] of IDENTITIES) {
      const { rule, requirements } = chooseRule(policy, transport, identity);
      assert.ok(requirements.length > 0);
      assert.equal(coveringRules(policy, transport, identity)[0]?.rule.scope, rule.scope);
      assert.ok(rule.line !== undefined && rule.line <= text.split('\n').length);
    }
    const edited = editPolicy(text, FILE, {
      kind: 'set-scope',
      scope: SCOPE,
      requirement: REQUIREMENT,
    });
    const after = parsePolicy(edited, FILE);
    assert.deepEqual(after.transports.get('docker')?.get(SCOPE.scope)?.requirements, [REQUIREMENT]);
    assert.deepEqual(others(after), others(policy));
  },
};

function placed(text: string): Policy {
  try {
    return parsePolicy(text, FILE);
  } catch (error) {
    if (error instanceof Error) assert.match(error.message, PLACE);
    throw error;
  }
}

/** All requirements but those of the edited scope; an edit may move lines. */
function others({ default: fallback, transports }: Policy): unknown {
  return {
    fallback: fallback.requirements,
    transports: [...transports].flatMap(([transport, scopes]) =>
      [...scopes]
        .filter(([scope]) => transport !== SCOPE.transport || scope !== SCOPE.scope)
        .map(([scope, { requirements }]) => ({ transport, scope, requirements })),
    ),
  };
}
