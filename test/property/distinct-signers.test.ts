// SPDX-License-Identifier: Apache-2.0
// The matching of signers to requirements, held against trying everything.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchSigners } from '../../src/trust/rule/distinct-signers.ts';
import type { SignatureOutcome } from '../../src/trust/verdict/verdict.ts';
import { fc } from '../support/properties.ts';

const signature = (keyFingerprint: string): SignatureOutcome => ({
  type: 'signedBy',
  keyFingerprint,
  signedIdentity: 'a.b/c:1',
  signatureSource: 's',
  signedAt: '2026-01-01T00:00:00.000Z',
});

const signer: fc.Arbitrary<string> = fc.constantFrom('A', 'B', 'C', 'D', 'E');
const groups = fc.array(fc.array(signer, { maxLength: 4 }), { maxLength: 6 });

/** The most groups with a signer each, by trying every choice. */
function most(rest: readonly (readonly string[])[], taken: ReadonlySet<string>): number {
  const [first, ...others] = rest;
  if (first === undefined) return 0;
  const choices = first.filter((one) => !taken.has(one));
  const chosen = choices.map((one) => 1 + most(others, new Set([...taken, one])));
  return Math.max(most(others, taken), ...chosen);
}

describe('matchSigners', () => {
  it('finds as many as there can be, each signer once and in a group that has it', () => {
    fc.assert(
      fc.property(groups, (names) => {
        const matched = matchSigners(names.map((group) => group.map(signature)));
        assert.equal(matched.length, most(names, new Set()));
        const signers = matched.map((one) => (one.type === 'signedBy' ? one.keyFingerprint : ''));
        assert.equal(new Set(signers).size, signers.length);
        // In the order of the groups: each is in one behind that of the one before it.
        let from = 0;
        for (const one of signers) {
          const at = names.findIndex((group, n) => n >= from && group.includes(one));
          assert.notEqual(at, -1);
          from = at + 1;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('counts no more when signatures are added of signers that are there', () => {
    fc.assert(
      fc.property(groups, signer, (names, again) => {
        const one = matchSigners(names.map((group) => group.map(signature))).length;
        const two = matchSigners(
          names.map((group) =>
            (group.includes(again) ? [...group, again, again] : group).map(signature),
          ),
        ).length;
        assert.equal(two, one);
      }),
    );
  });
});
