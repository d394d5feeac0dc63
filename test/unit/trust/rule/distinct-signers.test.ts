// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { matchSigners } from '../../../../src/trust/rule/distinct-signers.ts';
import type { SignatureOutcome, SigstoreSigner } from '../../../../src/trust/verdict/verdict.ts';

const claim = { signedIdentity: 'a.b/c:1', signatureSource: 's' };

function gpg(keyFingerprint: string): SignatureOutcome {
  return { type: 'signedBy', keyFingerprint, ...claim, signedAt: '2026-01-01T00:00:00.000Z' };
}

function sigstore(signer: SigstoreSigner): SignatureOutcome {
  return { type: 'sigstoreSigned', signer, ...claim, loggedAt: undefined, claimedAt: undefined };
}

const key = (name: string) => sigstore({ kind: 'key', keyFingerprint: sha256(name) });
const certificate = (name: string, names: readonly string[], issuer?: string, ofKey = name) =>
  sigstore({
    kind: 'certificate',
    names,
    certificateFingerprint: sha256(name),
    keyFingerprint: sha256(ofKey),
    issuer,
  });

interface Case {
  readonly name: string;
  readonly groups: readonly (readonly SignatureOutcome[])[];
  readonly signers: number;
}

const cases: readonly Case[] = [
  { name: 'nobody', groups: [[], []], signers: 0 },
  { name: 'two keys', groups: [[gpg('A')], [gpg('B')]], signers: 2 },
  { name: 'one key twice', groups: [[gpg('A')], [gpg('A')]], signers: 1 },
  { name: 'two signatures of one key', groups: [[gpg('A'), gpg('A')], [gpg('A')]], signers: 1 },
  {
    name: 'a key that the other group cannot do without',
    groups: [[gpg('A'), gpg('B')], [gpg('A')]],
    signers: 2,
  },
  {
    name: 'a chain of those',
    groups: [[gpg('A'), gpg('B')], [gpg('A'), gpg('C')], [gpg('A')], [gpg('C')]],
    signers: 3,
  },
  { name: 'a key of each kind', groups: [[gpg('A')], [key('A')]], signers: 2 },
  { name: 'one sigstore key twice', groups: [[key('A')], [key('A')]], signers: 1 },
  {
    name: 'one identity with two certificates',
    groups: [[certificate('1', ['a@b'], 'https://i')], [certificate('2', ['a@b'], 'https://i')]],
    signers: 1,
  },
  {
    name: 'one address by the word of two issuers',
    groups: [[certificate('1', ['a@b'], 'https://i')], [certificate('2', ['a@b'], 'https://j')]],
    signers: 2,
  },
  {
    name: 'one certificate asked for its address and for its host',
    groups: [[certificate('1', ['a@b'])], [certificate('1', ['h.example'])]],
    signers: 1,
  },
  {
    name: 'a key, and a certificate of it',
    groups: [[key('A')], [certificate('1', ['a@b'], undefined, 'A')]],
    signers: 1,
  },
  {
    name: 'two certificates of one key, for different names',
    groups: [
      [certificate('1', ['a@b'], 'https://i', 'A')],
      [certificate('2', ['c@d'], 'https://j', 'A')],
    ],
    signers: 1,
  },
  {
    name: 'two certificates of one owner, told by a third',
    groups: [
      [certificate('1', ['a@b'])],
      [certificate('2', ['h.example'])],
      [certificate('3', ['a@b', 'h.example'])],
    ],
    signers: 1,
  },
];

describe('matchSigners', () => {
  for (const { name, groups, signers } of cases) {
    it(`counts ${signers} for ${name}`, () => {
      assert.equal(matchSigners(groups).length, signers);
      assert.equal(matchSigners(groups.toReversed()).length, signers);
    });
  }

  it('gives a signature of each, in the order of the groups', () => {
    const groups = [[gpg('A'), gpg('B')], [gpg('A')]];
    assert.deepEqual(matchSigners(groups), [gpg('B'), gpg('A')]);
  });
});
