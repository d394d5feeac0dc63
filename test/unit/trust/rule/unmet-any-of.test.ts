// SPDX-License-Identifier: Apache-2.0
// What people are told where an anyOf refuses an image.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { adviceFor } from '../../../../src/trust/advice.ts';
import { refusal } from '../../../../src/trust/verdict/describe-verdict.ts';
import { TrustError } from '../../../../src/trust/verdict/trust-error.ts';
import {
  type Asked,
  evaluateSigned,
  makeSigningKey,
  policyOf,
  signManifest,
  type SigningKey,
  SUBJECT,
} from '../../../support/trust/evaluate-signed.ts';

const IMAGE = 'docker://registry.example/coreos/etcd:3.4';
const AT = `https://s/${SUBJECT.manifestDigest}`;
const OTHER = sha256('another manifest');
const MISSING = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k/gone.gpg' };
const MORE = /^have it signed by more of the accepted signers, .*"sysct trust explain" says what/;
const ONE = /^have it signed by one of the accepted signers, .*"sysct trust explain" says what/;

let alice: SigningKey;
let bob: SigningKey;
let carol: SigningKey;
let mallory: SigningKey;

before(async () => {
  [alice, bob, carol, mallory] = (await Promise.all(
    ['alice', 'bob', 'carol', 'mallory'].map(makeSigningKey),
  )) as [SigningKey, SigningKey, SigningKey, SigningKey];
});

interface Case {
  readonly name: string;
  readonly min?: number;
  /** Default: alice, bob, carol. */
  readonly requirements?: () => readonly object[];
  readonly signatures?: () => Promise<readonly Buffer[] | Error>;
  /** All that the message says behind the rule. */
  readonly says: () => string;
  readonly hint?: RegExp;
  /** What explain advises, where no key or identity in the policy would admit the image. */
  readonly advice?: RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'that there is no signature at all',
    says: () => 'none is met; no signature was found that they ask for',
  },
  {
    name: 'that there is no other one than the one that counts',
    signatures: async () => [await signManifest(alice)],
    says: () => 'only 1 is met; no other signature was found that they ask for',
    advice: /^have sha256:[0-9a-f]+ signed, and the signature put where it was looked for/,
  },
  {
    name: 'which key it does not know',
    signatures: async () => [await signManifest(bob), await signManifest(mallory)],
    says: () =>
      `only 1 is met; requirement 1: signature ${AT}/2 was made by key ${mallory.fingerprint.slice(-16)}, which is none of the accepted keys`,
  },
  {
    name: 'the signature of an accepted signer for another name before that of a stranger',
    signatures: async () => [
      await signManifest(mallory),
      await signManifest(carol, { digest: OTHER }),
      await signManifest(bob, { name: 'registry.example/coreos/etcd:3.5' }),
    ],
    says: () =>
      `none is met; requirement 2: signature ${AT}/3 is good, but for "registry.example/coreos/etcd:3.5"; the policy wants registry.example/coreos/etcd:3.4 (matchRepoDigestOrExact)`,
  },
  {
    name: 'one for another manifest before a broken one',
    signatures: async () => [
      (await signManifest(alice)).subarray(0, -10),
      await signManifest(carol, { digest: OTHER }),
    ],
    says: () => `none is met; requirement 3: signature ${AT}/2 is for another manifest, ${OTHER}`,
  },
  {
    name: 'a key that cannot be read before anything else, and what to do about it',
    requirements: () => [alice.signedBy, MISSING, bob.signedBy],
    signatures: async () => [await signManifest(mallory)],
    says: () =>
      'none is met; requirement 2: reading the keys of the policy failed: key file "/k/gone.gpg" does not exist',
    hint: /^put the key there$/,
  },
  {
    name: 'that signatures could not be looked for',
    signatures: async () =>
      new TrustError('SIGNATURES_UNREADABLE', `${AT} answers 500`, { hint: 'ask its owner' }),
    says: () => `none is met; requirement 1: looking for signatures failed: ${AT} answers 500`,
    hint: /^ask its owner$/,
    advice: /^ask its owner$/,
  },
  {
    name: 'where in an anyOf within it something was nearest',
    min: 1,
    requirements: () => [
      carol.signedBy,
      { type: 'anyOf', min: 2, requirements: [alice.signedBy, bob.signedBy] },
    ],
    signatures: async () => [await signManifest(alice), await signManifest(bob, { digest: OTHER })],
    says: () => `none is met; requirement 2.2: signature ${AT}/2 is for another manifest, ${OTHER}`,
  },
  {
    name: 'a failure in an anyOf within it',
    min: 1,
    requirements: () => [
      { type: 'anyOf', min: 2, requirements: [alice.signedBy, MISSING] },
      carol.signedBy,
    ],
    says: () =>
      'none is met; requirement 1.2: reading the keys of the policy failed: key file "/k/gone.gpg" does not exist',
    hint: /^put the key there$/,
  },
  {
    name: 'that one signer does not stand for two',
    requirements: () => [alice.signedBy, { ...alice.signedBy }],
    signatures: async () => [await signManifest(alice)],
    says: () => '2 are met by 1 signer alone: each counts once',
    advice: /^have it signed by more of the accepted signers, or correct the policy$/,
  },
];

describe('the refusal of an anyOf', () => {
  for (const { name, min = 2, requirements, signatures, says, hint, advice } of cases) {
    it(`says in one line ${name}`, async () => {
      const parts = requirements?.() ?? [alice.signedBy, bob.signedBy, carol.signedBy];
      const scope = { admit: [{ type: 'anyOf', min, requirements: parts }] };
      const asked: Asked = {
        trustD: { docker: { 'registry.example': scope } },
        signatures: { [SUBJECT.manifestDigest]: (await signatures?.()) ?? [] },
      };
      const evaluation = await evaluateSigned(asked);
      assert.ok(!evaluation.verdict.allowed);
      const error = refusal(evaluation.verdict, IMAGE);
      const by = min > 1 ? ', each by another signer,' : '';
      assert.equal(
        error.message,
        `${IMAGE} is refused by policy: the policy requires ${min} of ${parts.length} requirements${by} to be met (/d/own.json:1, transport docker, scope "registry.example"), and ${says()}`,
      );
      assert.match(error.hint ?? '', hint ?? (min > 1 ? MORE : ONE));
      if (advice === undefined) return;
      const places = { useSigstoreAttachments: true, hasLookaside: true };
      const given = adviceFor(policyOf(asked), SUBJECT, evaluation, [], places);
      assert.equal(given.length, 1);
      assert.match(given[0]?.text ?? '', advice);
    });
  }

  it('keeps what each requirement says for explain', async () => {
    const requirements = [alice.signedBy, MISSING, carol.signedBy];
    const { requirements: asked } = await evaluateSigned({
      trustD: { docker: { 'registry.example': { admit: [{ type: 'anyOf', requirements }] } } },
    });
    const { result } = asked[0] ?? {};
    const said = result?.parts?.map((part) => (part.met ? [] : part.reasons).join('; ')) ?? [];
    assert.match(said[0] ?? '', /has none; looked at .*; accepted signers: .*alice@example\.com/);
    assert.match(said[1] ?? '', /key file "\/k\/gone\.gpg" does not exist/);
    assert.match(said[2] ?? '', /has none; looked at .*; accepted signers: .*carol@example\.com/);
  });
});
