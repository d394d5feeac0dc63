// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createMessage, generateKey, type PrivateKey, sign } from 'openpgp';
import { sha256 } from '../../../src/base/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { describeVerdict } from '../../../src/trust/verdict/describe-verdict.ts';
import { type Evaluation, evaluatePolicy } from '../../../src/trust/evaluate.ts';
import type { PolicySubject, RequirementResult } from '../../../src/trust/verdict/evaluation.ts';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';
import type { SignatureSearch } from '../../../src/trust/lookaside/signature-source.ts';
import { TrustError } from '../../../src/trust/verdict/trust-error.ts';
import type { Verdict } from '../../../src/trust/verdict/verdict.ts';
import { simpleSigningPayload } from '../../support/trust/gpg.ts';
import { hasCode } from '../../support/trust/trust-errors.ts';

const REFERENCE = 'registry.example/coreos/etcd:3.4';
const MANIFEST = Buffer.from('{"schemaVersion":2}');
const SUBJECT: PolicySubject = {
  transport: 'docker',
  policyIdentity: REFERENCE,
  reference: parseReference(REFERENCE),
  manifestDigest: sha256(MANIFEST),
  manifestBytes: MANIFEST,
};

interface TestKey {
  readonly privateKey: PrivateKey;
  readonly keyData: string;
  readonly fingerprint: string;
}

let alice: TestKey;
let bob: TestKey;

async function makeKey(name: string): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKey({
    type: 'curve25519',
    userIDs: [{ name, email: `${name}@example.com` }],
    format: 'object',
  });
  return {
    privateKey,
    keyData: Buffer.from(publicKey.write()).toString('base64'),
    fingerprint: publicKey.getFingerprint().toUpperCase(),
  };
}

async function signFor(key: TestKey, reference = REFERENCE): Promise<Buffer> {
  const text = simpleSigningPayload(reference, SUBJECT.manifestDigest);
  const message = await createMessage({ binary: Buffer.from(text) });
  const signed = await sign({ message, signingKeys: key.privateKey, format: 'object' });
  return Buffer.from(signed.write());
}

before(async () => {
  alice = await makeKey('alice');
  bob = await makeKey('bob');
});

const ACCEPT = { type: 'insecureAcceptAnything' };
const signedBy = (key: TestKey, more: object = {}) => ({
  type: 'signedBy',
  keyType: 'GPGKeys',
  keyData: key.keyData,
  ...more,
});

function search(...signatures: readonly Buffer[]): SignatureSearch {
  return {
    candidates: signatures.map((bytes, n) => ({ bytes, source: `https://s/signature-${n + 1}` })),
    places: [{ place: `https://s/signature-${signatures.length + 1}`, answer: '404' }],
  };
}

interface Asked extends Evaluation {
  readonly searches: number;
}

async function ask(
  requirements: readonly object[],
  found: SignatureSearch | Error = search(),
  subject: PolicySubject = SUBJECT,
): Promise<Asked> {
  const policy = parsePolicy(
    JSON.stringify({
      default: [{ type: 'reject' }],
      transports: { docker: { 'registry.example': requirements }, dir: { '/srv': requirements } },
    }),
    '/etc/containers/policy.json',
  );
  let searches = 0;
  const evaluation = await evaluatePolicy(
    policy,
    subject,
    async () => {
      searches += 1;
      if (found instanceof Error) throw found;
      return found;
    },
    {
      readKeyFile: async (path) => {
        throw new TrustError('UNREADABLE_FILE', `key file ${path} does not exist`, {
          hint: 'put it there',
        });
      },
      signal: new AbortController().signal,
      now: () => new Date(),
    },
  );
  return { ...evaluation, searches };
}

function reasons(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.reasons.join('\n');
}

describe('evaluatePolicy', () => {
  it('records who signed what, when, and where it was found', async () => {
    const { verdict } = await ask([signedBy(alice)], search(await signFor(alice)));
    assert.ok(verdict.allowed, reasons(verdict));
    const [outcome] = verdict.outcomes;
    assert.ok(outcome?.type === 'signedBy');
    assert.equal(outcome.keyFingerprint, alice.fingerprint);
    assert.equal(outcome.signedIdentity, REFERENCE);
    assert.equal(outcome.signatureSource, 'https://s/signature-1');
    assert.ok(Math.abs(Date.parse(outcome.signedAt) - Date.now()) < 900_000);
    assert.equal(verdict.unsigned, undefined);
    assert.deepEqual(verdict.rule, {
      policyFile: '/etc/containers/policy.json',
      transport: 'docker',
      scope: 'registry.example',
      line: 1,
    });
    assert.equal(describeVerdict(verdict), `signed by ${alice.fingerprint.slice(-16)}`);
  });

  it('looks for no signature when no requirement needs one', async () => {
    assert.equal((await ask([ACCEPT])).searches, 0);
    assert.equal((await ask([{ type: 'reject' }])).searches, 0);
    assert.equal((await ask([{ type: 'reject' }, signedBy(alice)])).searches, 0);
  });

  it('looks for signatures once for all requirements', async () => {
    const both = search(await signFor(alice), await signFor(bob));
    const { verdict, searches } = await ask([signedBy(alice), signedBy(bob)], both);
    assert.equal(searches, 1);
    assert.ok(verdict.allowed);
    assert.equal(verdict.outcomes.length, 2);
  });

  it('wants every requirement met', async () => {
    const found = search(await signFor(alice));
    assert.equal((await ask([signedBy(alice), signedBy(bob)], found)).verdict.allowed, false);
    assert.equal((await ask([ACCEPT, { type: 'reject' }], found)).verdict.allowed, false);
    assert.equal((await ask([ACCEPT, signedBy(alice)], found)).verdict.allowed, true);
  });

  it('is content with one good signature among bad ones', async () => {
    const found = search(await signFor(bob), await signFor(alice, 'a.b/c:1'), await signFor(alice));
    assert.equal((await ask([signedBy(alice)], found)).verdict.allowed, true);
  });

  it('a13: a key that another scope trusts does not count', async () => {
    const policy = parsePolicy(
      JSON.stringify({
        default: [signedBy(bob)],
        transports: { docker: { 'registry.example': [signedBy(alice)] } },
      }),
      'p',
    );
    const found = search(await signFor(bob));
    const { verdict } = await evaluatePolicy(policy, SUBJECT, async () => found, {
      readKeyFile: async () => Buffer.alloc(0),
      signal: new AbortController().signal,
      now: () => new Date(),
    });
    assert.match(reasons(verdict), /none of the accepted keys/);
  });

  it('takes the failure to look for "no", not for "none"', async () => {
    const failure = new TrustError('SIGNATURES_UNREADABLE', 'the server answers 500', {
      hint: 'ask its owner',
    });
    const { verdict } = await ask([signedBy(alice)], failure);
    assert.match(reasons(verdict), /looking for signatures failed: the server answers 500/);
    assert.ok(!verdict.allowed);
    assert.equal(verdict.hint, 'ask its owner');
  });

  it('a18: one candidate that is no signature refuses all', async () => {
    const found = search(await signFor(alice), Buffer.from('<html>'));
    const { verdict } = await ask([signedBy(alice)], found);
    assert.match(reasons(verdict), /signature-2: signature blob begins with byte 0x3c/);
  });

  it('says where it looked, and which keys would do', async () => {
    const { verdict } = await ask([signedBy(alice)]);
    assert.match(
      reasons(verdict),
      /^the policy requires a GPG signature \(.*policy\.json:1, trans/,
    );
    assert.match(reasons(verdict), /^looked at https:\/\/s\/signature-1: 404$/m);
    const keys = `^accepted signers: ${alice.fingerprint} "alice <alice@example.com>" from keyData$`;
    assert.match(reasons(verdict), new RegExp(keys, 'm'));
    assert.ok(!verdict.allowed);
    assert.match(verdict.hint ?? '', /"sysct trust explain"/);
  });

  it('reports what came of each signature, and stops at the requirement that is not met', async () => {
    const found = search(
      Buffer.from('\0sigstore-json\n{"mimeType":"x","payload":""}'),
      await signFor(bob),
      await signFor(alice),
      await signFor(alice),
    );
    const { requirements, places } = await ask([signedBy(alice), signedBy(bob), ACCEPT], found);
    const [first, second, third] = requirements;
    const kinds = (result: RequirementResult | undefined) =>
      result?.checks?.signatures.map((signature) => signature.result.kind);
    assert.deepEqual(kinds(first?.result), ['passed-over', 'refused', 'counts', 'passed-over']);
    assert.deepEqual(kinds(second?.result), [
      'passed-over',
      'counts',
      'passed-over',
      'passed-over',
    ]);
    assert.equal(third?.result?.met, true);
    assert.deepEqual(places, found.places);
    const refused = await ask([signedBy(alice), ACCEPT], search());
    assert.deepEqual(
      refused.requirements.map(({ result }) => result?.met),
      [false, undefined],
    );
  });

  it('explains the first eight of many bad signatures', async () => {
    const bad = await signFor(bob);
    const found = search(...Array.from({ length: 12 }, () => bad));
    const { verdict } = await ask([signedBy(alice)], found);
    assert.match(reasons(verdict), /all 12 found fail/);
    assert.equal(reasons(verdict).match(/was made by key/g)?.length, 8);
    assert.match(reasons(verdict), /^and 4 more$/m);
  });

  it('counts sigstore signatures that it did not read', async () => {
    const sigstore = Buffer.from('\0sigstore-json\n{"mimeType":"x","payload":""}');
    const { verdict } = await ask([signedBy(alice)], search(sigstore));
    assert.match(reasons(verdict), /has none \(1 of another kind\)/);
  });

  it('a02: a good signature for another tag or repository is refused, saying what it is for', async () => {
    const found = search(await signFor(alice, 'registry.example/coreos/etcd:3.5'));
    const { verdict } = await ask([signedBy(alice)], found);
    assert.match(
      reasons(verdict),
      /signature-1 is good, but for "registry\.example\/coreos\/etcd:3\.5"; the policy wants registry\.example\/coreos\/etcd:3\.4 \(/,
    );
  });

  it('a05: name:tag@digest needs a signature for that tag', async () => {
    const subject = {
      ...SUBJECT,
      reference: parseReference(`${REFERENCE}@${SUBJECT.manifestDigest}`),
    };
    const good = await ask([signedBy(alice)], search(await signFor(alice)), subject);
    assert.equal(good.verdict.allowed, true);
    const moved = search(await signFor(alice, 'registry.example/coreos/etcd:3.5'));
    assert.equal((await ask([signedBy(alice)], moved, subject)).verdict.allowed, false);
  });

  it('a digest alone takes a signature for any tag of the repository', async () => {
    const name = `registry.example/coreos/etcd@${SUBJECT.manifestDigest}`;
    const subject = { ...SUBJECT, policyIdentity: name, reference: parseReference(name) };
    const found = search(await signFor(alice, 'registry.example/coreos/etcd:any'));
    assert.equal((await ask([signedBy(alice)], found, subject)).verdict.allowed, true);
  });

  it('an image without a name fits only what the policy names itself', async () => {
    const subject = {
      ...SUBJECT,
      transport: 'dir',
      policyIdentity: '/srv/etcd',
      reference: undefined,
    };
    const found = search(await signFor(alice));
    assert.equal((await ask([signedBy(alice)], found, subject)).verdict.allowed, false);
    const signedIdentity = { type: 'exactReference', dockerReference: REFERENCE };
    const named = await ask([signedBy(alice, { signedIdentity })], found, subject);
    assert.equal(named.verdict.allowed, true);
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['reject', { type: 'reject' }, /^the policy rejects it \(.*scope "registry\.example"\)$/],
    [
      'a missing key file of sigstoreSigned',
      { type: 'sigstoreSigned', keyPath: '/k' },
      /reading the keys of the policy failed: key file \/k does not exist/,
    ],
    [
      'signedBaseLayer',
      { type: 'signedBaseLayer', baseLayerIdentity: { type: 'matchExact' } },
      /no tool implements/,
    ],
    [
      'a key type that nobody implements',
      { type: 'signedBy', keyType: 'X509Certificates', keyPath: '/k' },
      /keyType "X509Certificates".*implemented by no tool/,
    ],
    [
      'a missing key file',
      { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' },
      /reading the keys of the policy failed: key file \/k does not exist/,
    ],
    [
      'no keys at all',
      { type: 'signedBy', keyType: 'GPGKeys', keyPaths: [] },
      /gives no OpenPGP key to verify with: it names none/,
    ],
    [
      'keyData that is no key',
      { type: 'signedBy', keyType: 'GPGKeys', keyData: 'AAAA' },
      /keyData: no OpenPGP key in it/,
    ],
  ];
  for (const [name, requirement, reason] of refused) {
    it(`refuses by ${name}, and says so`, async () => {
      const { verdict } = await ask([requirement], search(await signFor(alice)));
      assert.match(reasons(verdict), reason);
      assert.ok(!verdict.allowed && verdict.hint !== '');
      assert.match(describeVerdict(verdict), /^refused: /);
    });
  }

  it('a03: hashes the manifest itself', async () => {
    const subject = { ...SUBJECT, manifestBytes: Buffer.from('{}') };
    await assert.rejects(ask([ACCEPT], search(), subject), hasCode('MANIFEST_MISMATCH'));
  });

  it('stops when it is told to', async () => {
    const policy = parsePolicy(JSON.stringify({ default: [signedBy(alice)] }), 'p');
    const stop = new AbortController();
    const asked = evaluatePolicy(
      policy,
      SUBJECT,
      async () => {
        stop.abort(new Error('interrupted'));
        throw new Error('socket closed');
      },
      { readKeyFile: async () => Buffer.alloc(0), signal: stop.signal, now: () => new Date() },
    );
    await assert.rejects(asked, /interrupted/);
  });
});
