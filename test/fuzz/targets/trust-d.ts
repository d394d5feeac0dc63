// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';
import { alsoRules, coveringRules } from '../../../src/trust/policy/scope-lookup.ts';
import { matchesText } from '../../../src/trust/policy/text-pattern.ts';
import { parseTrustD, type TrustD } from '../../../src/trust/policy/trust-d.ts';
import { TRUST_D_CASES } from '../../support/trust/trust-d-cases.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const PLACE = /^\/d\/[ab]\.json:\d+:\d+: /;
const POLICY = parsePolicy('{"default":[{"type":"reject"}]}', 'policy.json');
const IDENTITIES = [
  ['docker', 'registry.example:5000/a/b:c'],
  ['docker', 'a.b/c/d:e'],
  ['oci', '/srv/a'],
] as const;

/** trust.d: errors name the place, what is taken loosens nothing that it does not name, and globs match whole texts. */
export const target: FuzzTarget = {
  seeds: TRUST_D_CASES.map(({ text }) => Buffer.from(text)),
  maxLength: 3000,
  run: (input) => {
    const [first = '', second] = input.toString('utf8').split('\0');
    const trustD = unlessRefused(() => placed(first, second), 'TrustError');
    assertGlob(first);
    if (trustD === undefined) return;
    const policy = { ...POLICY, trustD };
    for (const [transport, identity] of IDENTITIES) {
      const [decides] = coveringRules(policy, transport, identity);
      assert.ok(decides !== undefined && decides.requirements.length > 0);
      for (const { requirements } of alsoRules(policy, transport, identity)) {
        assert.ok(requirements.length > 0);
        assert.ok(requirements.every(({ type }) => type !== 'insecureAcceptAnything'));
      }
    }
  },
};

function placed(first: string, second: string | undefined): TrustD {
  try {
    return parseTrustD('/d', [
      { path: '/d/a.json', text: first },
      ...(second === undefined ? [] : [{ path: '/d/b.json', text: second }]),
    ]);
  } catch (error) {
    if (error instanceof Error) assert.match(error.message, PLACE);
    throw error;
  }
}

/** What means something in a regular expression. */
const SYNTAX = /[$()*+./?[\\\]^{|}]/g;

/** Against a regular expression made of the same glob. */
function assertGlob(text: string): void {
  const [glob = '', matched = ''] = text.slice(0, 40).split('=');
  if (glob.split('*').length > 5) return;
  const source = glob
    .split(/(\*+)/)
    .map((part) =>
      part.startsWith('*') ? (part === '*' ? '[^/]*' : '[^]*') : part.replace(SYNTAX, '\\$&'),
    )
    .join('');
  const expected = new RegExp(`^${source}$`, 'u').test(matched);
  assert.equal(matchesText({ kind: 'glob', glob }, matched), expected);
}
