// SPDX-License-Identifier: Apache-2.0
// What trust.d adds to a decision; evaluate.test.ts has what policy.json alone says.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { describeVerdict } from '../../../src/trust/verdict/describe-verdict.ts';
import type { AdmissionHistory } from '../../../src/trust/verdict/evaluation.ts';
import { TrustError } from '../../../src/trust/verdict/trust-error.ts';
import {
  type Answer,
  evaluateSigned,
  MANIFEST,
  REFERENCE,
  makeSigningKey,
  reasonsOf,
  signManifest,
  type SigningKey,
  SUBJECT,
} from '../../support/trust/evaluate-signed.ts';
import { encodeBundleBlob } from '../../../src/trust/lookaside/signature-blob.ts';
import { data } from '../../support/trust/bundle-case.ts';
import {
  alternativeNames,
  basicConstraints,
  CODE_SIGNING,
  compressedPoint,
  extendedKeyUsage,
  keyUsage,
  makeCertificate,
  makeKey,
  type TestKey,
} from '../../support/trust/der-certificate.ts';
import { keyedBundle, statement } from '../../support/trust/sigstore-bundles.ts';
import { makeLog } from '../../support/trust/sigstore-instance.ts';
import { cosignPayload, sigstoreBlob } from '../../support/trust/sigstore-signatures.ts';
import { hasCode } from '../../support/trust/trust-errors.ts';

const ACCEPT = { type: 'insecureAcceptAnything' };
const REJECT = { type: 'reject' };
const INSTANCE = SUBJECT.manifestDigest;

let alice: SigningKey;
let bob: SigningKey;
let carol: SigningKey;

before(async () => {
  alice = await makeSigningKey('alice');
  bob = await makeSigningKey('bob');
  carol = await makeSigningKey('carol');
});

const docker = (scopes: object) => ({ docker: scopes });
const anyOf = (min: number, ...requirements: readonly object[]) => ({
  type: 'anyOf',
  min,
  requirements,
});

async function signed(...keys: readonly SigningKey[]): Promise<Record<Digest, readonly Buffer[]>> {
  return { [INSTANCE]: await Promise.all(keys.map(async (key) => await signManifest(key))) };
}

describe('admit of trust.d', () => {
  it('decides in place of the same scope of policy.json, and is named', async () => {
    const { verdict } = await evaluateSigned({
      policy: docker({ 'registry.example': [REJECT] }),
      trustD: docker({ 'registry.example': { admit: [alice.signedBy] } }),
      signatures: await signed(alice),
    });
    assert.ok(verdict.allowed, reasonsOf(verdict));
    assert.equal(verdict.rule.policyFile, '/d/own.json');
    assert.equal(verdict.also, undefined);
  });

  it('does not decide where policy.json has a narrower scope', async () => {
    const { verdict } = await evaluateSigned({
      policy: docker({ 'registry.example/coreos': [REJECT] }),
      trustD: docker({ 'registry.example': { admit: [ACCEPT] } }),
    });
    assert.match(reasonsOf(verdict), /the policy rejects it \(policy\.json:1/);
  });
});

describe('also of trust.d', () => {
  const policy = docker({ 'registry.example': [ACCEPT] });

  it('must hold in addition to what policy.json says', async () => {
    const trustD = docker({ 'registry.example': { also: [alice.signedBy] } });
    const refused = await evaluateSigned({ policy, trustD });
    assert.match(
      reasonsOf(refused.verdict),
      /requires a GPG signature \(\/d\/own\.json:1, also for transport docker, scope "registry\.example"\)/,
    );
    assert.equal(refused.verdict.rule.also, true);
    assert.equal(refused.rule.policyFile, 'policy.json');
    const { verdict } = await evaluateSigned({ policy, trustD, signatures: await signed(alice) });
    assert.ok(verdict.allowed);
    assert.equal(verdict.rule.policyFile, 'policy.json');
    assert.deepEqual(
      verdict.also?.map(({ policyFile, scope }) => [policyFile, scope]),
      [['/d/own.json', 'registry.example']],
    );
    assert.equal(verdict.unsigned, undefined);
  });

  it('of every scope that covers the image must hold, however narrow the rule that decides', async () => {
    const trustD = docker({
      '': { also: [alice.signedBy] },
      'registry.example': { also: [bob.signedBy] },
      'registry.example/coreos/etcd': { admit: [ACCEPT] },
      'registry.example/other': { also: [REJECT] },
    });
    for (const [keys, allowed] of [
      [[], false],
      [[alice], false],
      [[bob], false],
      [[alice, bob], true],
    ] as const) {
      const { verdict } = await evaluateSigned({ trustD, signatures: await signed(...keys) });
      assert.equal(verdict.allowed, allowed, reasonsOf(verdict));
    }
  });

  it('cannot admit what the policy refuses', async () => {
    const { verdict } = await evaluateSigned({
      trustD: docker({ 'registry.example': { also: [alice.signedBy] } }),
      signatures: await signed(alice),
    });
    assert.match(reasonsOf(verdict), /the policy rejects it \(policy\.json:1, default\)/);
  });

  it('of a default that accepts all is proof enough for install --system', async () => {
    const { verdict } = await evaluateSigned({
      policy: docker({ '': [ACCEPT] }),
      trustD: docker({ '': { also: [alice.signedBy] } }),
      signatures: await signed(alice),
    });
    assert.ok(verdict.allowed);
    assert.equal(verdict.unsigned, undefined);
  });
});

describe('anyOf', () => {
  interface Case {
    readonly name: string;
    readonly requirement: () => object;
    readonly signers: () => readonly SigningKey[];
    /** Undefined when the image is admitted. */
    readonly refusal?: RegExp;
  }
  const one = () => anyOf(1, alice.signedBy, bob.signedBy);
  const two = () => anyOf(2, alice.signedBy, bob.signedBy, carol.signedBy);
  const cases: readonly Case[] = [
    { name: 'the first', requirement: one, signers: () => [alice] },
    { name: 'the second', requirement: one, signers: () => [bob] },
    {
      name: 'neither',
      requirement: one,
      signers: () => [carol],
      refusal:
        /requires 1 of 2 requirements to be met .*, and none is met\nrequirement 1: signature/,
    },
    { name: 'two of three', requirement: two, signers: () => [carol, alice] },
    { name: 'three of three', requirement: two, signers: () => [carol, bob, alice] },
    {
      name: 'one where two are wanted',
      requirement: two,
      signers: () => [bob, bob],
      refusal: /requires 2 of 3 requirements, each by another signer, .* and only 1 is met/,
    },
    {
      name: 'one key that two requirements name',
      requirement: () => anyOf(2, alice.signedBy, { ...alice.signedBy }, bob.signedBy),
      signers: () => [alice],
      refusal: /2 are met by 1 signer alone: each counts once/,
    },
    {
      name: 'a key that two requirements name, and another for one of them',
      requirement: () => anyOf(2, anyOf(1, alice.signedBy, bob.signedBy), alice.signedBy),
      signers: () => [alice, bob],
    },
    {
      name: 'one by one of a group, one by another',
      requirement: () => anyOf(2, anyOf(1, alice.signedBy, bob.signedBy), carol.signedBy),
      signers: () => [bob, carol],
    },
    {
      name: 'two of one group, which stands for one',
      requirement: () => anyOf(2, anyOf(1, alice.signedBy, bob.signedBy), carol.signedBy),
      signers: () => [alice, bob],
      refusal: /only 1 is met\nno other signature was found/,
    },
    {
      name: 'a group of two, or one alone',
      requirement: () => anyOf(1, anyOf(2, alice.signedBy, bob.signedBy), carol.signedBy),
      signers: () => [alice, bob],
    },
    {
      name: 'half of a group of two',
      requirement: () => anyOf(1, anyOf(2, alice.signedBy, bob.signedBy), carol.signedBy),
      signers: () => [alice],
      refusal: /none is met\nno other signature was found that they ask for$/,
    },
  ];
  for (const { name, requirement, signers, refusal } of cases) {
    it(`${refusal === undefined ? 'admits' : 'refuses'} what is signed by ${name}`, async () => {
      const { verdict } = await evaluateSigned({
        trustD: docker({ 'registry.example': { admit: [requirement()] } }),
        signatures: await signed(...signers()),
      });
      if (refusal === undefined) assert.equal(reasonsOf(verdict), 'allowed');
      else assert.match(reasonsOf(verdict), refusal);
    });
  }

  it('records each signer that was needed', async () => {
    const { verdict, requirements, searched } = await evaluateSigned({
      trustD: docker({ 'registry.example': { admit: [two()] } }),
      signatures: await signed(carol, alice),
    });
    assert.equal(
      describeVerdict(verdict),
      `signed by ${alice.fingerprint.slice(-16)} and ${carol.fingerprint.slice(-16)}`,
    );
    assert.deepEqual(
      requirements[0]?.result?.parts?.map(({ met }) => met),
      [true, false, true],
    );
    assert.deepEqual(searched, [INSTANCE]);
  });

  it('looks no further than it needs', async () => {
    const { requirements } = await evaluateSigned({
      trustD: docker({ 'registry.example': { admit: [one()] } }),
      signatures: await signed(alice, bob),
    });
    assert.equal(requirements[0]?.result?.parts?.length, 1);
  });
});

describe('anyOf of sigstore keys', () => {
  it('counts one key in two forms once', async () => {
    const key = makeKey();
    const forms = [key.pem, compressedPoint(key)].map((pem) => ({
      type: 'sigstoreSigned',
      keyData: data(pem),
    }));
    const blob = sigstoreBlob({ payload: cosignPayload(REFERENCE, INSTANCE), key });
    for (const [min, said] of [
      [1, /^allowed$/],
      [2, /2 are met by 1 signer alone/],
    ] as const) {
      const { verdict } = await evaluateSigned({
        trustD: docker({ 'registry.example': { admit: [anyOf(min, ...forms)] } }),
        signatures: { [INSTANCE]: [blob] },
      });
      assert.match(reasonsOf(verdict), said);
    }
  });

  it('counts a key and its certificates once, in whatever form they have it', async () => {
    const root = makeCertificate({
      subject: 'root',
      key: makeKey(),
      extensions: [basicConstraints(true), keyUsage(0x04)],
    });
    const certify = (key: TestKey, email: string, spki?: Buffer) =>
      makeCertificate({
        subject: 'leaf',
        key,
        issuer: root,
        extensions: [extendedKeyUsage(CODE_SIGNING), alternativeNames({ emails: [email] })],
        ...(spki && { spki }),
      });
    const [key, other] = [makeKey(), makeKey()];
    const compressed = createPublicKey(compressedPoint(key)).export({
      type: 'spki',
      format: 'der',
    });
    const payload = cosignPayload(REFERENCE, INSTANCE);
    const signatures = [
      sigstoreBlob({ payload, key }),
      sigstoreBlob({ payload, key, certificate: certify(key, 'a@example.com', compressed) }),
      sigstoreBlob({ payload, key, certificate: certify(key, 'b@example.com') }),
      sigstoreBlob({ payload, key: other, certificate: certify(other, 'c@example.com') }),
    ];
    const byKey = { type: 'sigstoreSigned', keyData: data(key.pem) };
    const byEmail = (subjectEmail: string) => ({
      type: 'sigstoreSigned',
      pki: { caRootsData: data(root.pem), subjectEmail },
    });
    const [a, b, c] = ['a@example.com', 'b@example.com', 'c@example.com'].map(byEmail);
    for (const [requirements, said] of [
      [[byKey, a], /2 are met by 1 signer alone/],
      [[a, b], /2 are met by 1 signer alone/],
      [[byKey, c], /^allowed$/],
      [[a, c], /^allowed$/],
    ] as const) {
      const { verdict } = await evaluateSigned({
        trustD: docker({
          'registry.example': { admit: [{ type: 'anyOf', min: 2, requirements }] },
        }),
        signatures: { [INSTANCE]: signatures },
      });
      assert.match(reasonsOf(verdict), said);
    }
  });
});

describe('signedManifest', () => {
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: INSTANCE,
          size: MANIFEST.length,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    }),
  );
  const INDEX = sha256(index);
  const multi = { ...SUBJECT, index: { digest: INDEX, bytes: index } };

  async function ask(
    signedManifest: string | undefined,
    where: 'instance' | 'index' | 'nowhere' | 'both',
    subject = multi,
  ): Promise<Answer> {
    const atInstance = where === 'instance' || where === 'both';
    const atIndex = where === 'index' || where === 'both';
    return await evaluateSigned({
      trustD: docker({
        'registry.example': {
          admit: [
            signedManifest === undefined ? alice.signedBy : { ...alice.signedBy, signedManifest },
          ],
        },
      }),
      subject,
      signatures: {
        [INSTANCE]: atInstance ? [await signManifest(alice)] : [],
        [INDEX]: atIndex ? [await signManifest(alice, { digest: INDEX })] : [],
      },
    });
  }

  const rows = [
    [undefined, 'instance', true],
    [undefined, 'index', false],
    ['instance', 'instance', true],
    ['instance', 'index', false],
    ['index', 'instance', false],
    ['index', 'index', true],
    ['indexOrInstance', 'instance', true],
    ['indexOrInstance', 'index', true],
    ['indexOrInstance', 'nowhere', false],
  ] as const;
  for (const [which, where, allowed] of rows) {
    it(`a08: ${which ?? 'left out'}, with the signature at ${where}: ${allowed ? 'admitted' : 'refused'}`, async () => {
      assert.equal((await ask(which, where)).verdict.allowed, allowed);
    });
  }

  it('asks only for the signatures that could count', async () => {
    assert.deepEqual((await ask('instance', 'both')).searched, [INSTANCE]);
    assert.deepEqual((await ask('index', 'both')).searched, [INDEX]);
    assert.deepEqual((await ask('indexOrInstance', 'both')).searched, [INSTANCE]);
    assert.deepEqual((await ask('indexOrInstance', 'nowhere')).searched, [INSTANCE, INDEX]);
  });

  it('says of both manifests that they have no signature', async () => {
    const reasons = reasonsOf((await ask('indexOrInstance', 'nowhere')).verdict);
    assert.ok(reasons.includes(`but ${INSTANCE} has none`), reasons);
    assert.ok(reasons.includes(`but ${INDEX} has none`), reasons);
  });

  for (const which of ['instance', 'index', 'indexOrInstance']) {
    it(`${which}: the manifest of an image without an index is both`, async () => {
      assert.ok(
        (await ask(which, 'instance', { ...SUBJECT, index: undefined as never })).verdict.allowed,
      );
    });
  }

  it('a07: a signed index that does not name the image covers nothing', async () => {
    const other = Buffer.from(index.toString().replace(INSTANCE, sha256('another')));
    const digest = sha256(other);
    const asked = ask('index', 'index', { ...multi, index: { digest, bytes: other } });
    await assert.rejects(asked, hasCode('MANIFEST_MISMATCH', /does not name sha256:/));
  });

  it('a03: an index that does not have its digest is refused', async () => {
    const bytes = Buffer.from(`${index.toString()} `);
    const asked = ask('indexOrInstance', 'index', { ...multi, index: { digest: INDEX, bytes } });
    await assert.rejects(asked, hasCode('MANIFEST_MISMATCH', /has the digest/));
  });

  it('does not take a signature of the index for one of the instance', async () => {
    const { verdict } = await evaluateSigned({
      trustD: docker({ 'registry.example': { admit: [alice.signedBy] } }),
      subject: multi,
      signatures: { [INSTANCE]: [await signManifest(alice, { digest: INDEX })] },
    });
    assert.match(reasonsOf(verdict), /is for another manifest/);
  });
});

describe('signedWithin', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const within = (days: number) => ({ type: 'signedWithin', days });
  const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

  async function ask(
    times: readonly Date[],
    requirements: readonly object[] = [alice.signedBy, within(90)],
  ): Promise<Answer> {
    const made = times.map(async (at) => await signManifest(alice, { at }));
    return await evaluateSigned({
      trustD: docker({ 'registry.example': { admit: requirements } }),
      signatures: { [INSTANCE]: await Promise.all(made) },
      now,
    });
  }

  it('admits what was signed in time, and records when', async () => {
    const { verdict } = await ask([daysAgo(90)]);
    assert.ok(verdict.allowed, reasonsOf(verdict));
    assert.deepEqual(verdict.outcomes.at(-1), {
      type: 'signedWithin',
      days: 90,
      signedAt: daysAgo(90).toISOString(),
    });
  });

  it('refuses what was signed before', async () => {
    assert.match(
      reasonsOf((await ask([daysAgo(91)])).verdict),
      /requires a signature of the last 90 days .*, but the newest is of 2026-03-02T00:00:00\.000Z, 91 days ago/,
    );
  });

  it('takes the newest of all that count, wherever it stands', async () => {
    for (const times of [
      [daysAgo(200), daysAgo(10)],
      [daysAgo(10), daysAgo(200)],
    ]) {
      const { verdict } = await ask(times);
      assert.ok(verdict.allowed, reasonsOf(verdict));
      assert.ok(JSON.stringify(verdict.outcomes).includes(daysAgo(10).toISOString()));
    }
  });

  it('takes no time of a signature that does not count', async () => {
    const { verdict } = await evaluateSigned({
      trustD: docker({ 'registry.example': { admit: [alice.signedBy, within(90)] } }),
      signatures: {
        [INSTANCE]: [
          await signManifest(alice, { at: daysAgo(200) }),
          await signManifest(bob, { at: daysAgo(1) }),
        ],
      },
      now,
    });
    assert.match(reasonsOf(verdict), /200 days ago/);
  });

  it('says so where no signature is asked for', async () => {
    const { verdict } = await ask([daysAgo(1)], [ACCEPT, within(90)]);
    assert.match(reasonsOf(verdict), /no signature was asked for that could prove when/);
  });

  it('counts in whatever order it is written', async () => {
    assert.ok((await ask([daysAgo(1)], [within(90), alice.signedBy])).verdict.allowed);
  });
});

describe('noDowngrade', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const then = new Date('2026-01-01T00:00:00Z');
  const OTHER = sha256('another image');
  const rule = { type: 'noDowngrade' };

  function history(more: Partial<AdmissionHistory> = {}): AdmissionHistory {
    return {
      allowDowngrade: false,
      newestStored: () => ({ manifestDigest: OTHER, signedAt: then }),
      ...more,
    };
  }

  async function ask(at: Date, known?: AdmissionHistory): Promise<Answer> {
    return await evaluateSigned({
      policy: docker({ 'registry.example': [alice.signedBy] }),
      trustD: docker({ '': { also: [rule] } }),
      signatures: { [INSTANCE]: [await signManifest(alice, { at })] },
      now,
      ...(known === undefined ? {} : { history: known }),
    });
  }
  const older = new Date(then.getTime() - 1000);

  it('a06: refuses an image that was signed before the one that was stored', async () => {
    const { verdict } = await ask(older, history());
    assert.match(
      reasonsOf(verdict),
      new RegExp(
        `this one is of ${older.toISOString()}, and ${OTHER} of ${then.toISOString()} was admitted as registry\\.example/coreos/etcd:3\\.4`,
      ),
    );
    assert.ok(!verdict.allowed);
    assert.match(verdict.hint ?? '', /--allow-downgrade/);
  });

  it('a06: admits one that was signed at the same time or later', async () => {
    for (const at of [then, new Date(then.getTime() + 1000)])
      assert.equal(reasonsOf((await ask(at, history())).verdict), 'allowed');
  });

  it('admits the first, and the stored one itself', async () => {
    const first = history({ newestStored: () => undefined });
    assert.equal(reasonsOf((await ask(older, first)).verdict), 'allowed');
    const same = history({ newestStored: () => ({ manifestDigest: INSTANCE, signedAt: now }) });
    assert.equal(reasonsOf((await ask(older, same)).verdict), 'allowed');
  });

  /** Judges an old image with these rules and signatures. */
  async function askOld(
    admit: readonly object[],
    also: readonly object[],
    found: readonly Buffer[],
  ) {
    return await evaluateSigned({
      trustD: docker({ 'registry.example': { admit }, '': { also: [...also, rule] } }),
      signatures: { [INSTANCE]: found },
      history: history(),
      now,
    });
  }

  it('a06: refuses an old image that one signer of two alone signs anew', async () => {
    const two = anyOf(2, alice.signedBy, bob.signedBy, carol.signedBy);
    const old = [await signManifest(alice, { at: older }), await signManifest(bob, { at: older })];
    const anew = await signManifest(carol, { at: now });
    for (const found of [
      old,
      [...old, anew],
      [anew, ...old],
      [...old, await signManifest(bob, { at: now })],
    ])
      assert.match(
        reasonsOf((await askOld([two], [], found)).verdict),
        /this one is of 2025-12-31/,
      );
    const both = [...old, anew, await signManifest(bob, { at: then })];
    assert.equal(reasonsOf((await askOld([two], [], both)).verdict), 'allowed');
  });

  it('a06: refuses an old image that only the signer of one requirement signs anew', async () => {
    const old = await signManifest(alice, { at: older });
    const anew = await signManifest(bob, { at: now });
    const { verdict } = await askOld([alice.signedBy], [bob.signedBy], [old, anew]);
    assert.match(reasonsOf(verdict), /this one is of 2025-12-31/);
    const both = [old, anew, await signManifest(alice, { at: then })];
    const newer = await askOld([alice.signedBy], [bob.signedBy], both);
    assert.equal(reasonsOf(newer.verdict), 'allowed');
  });

  it('a06: refuses an old image that one signer signs anew, where the other proves no time', async () => {
    const key = makeKey();
    const byKey = { type: 'sigstoreSigned', keyData: data(key.pem) };
    // As cosign makes it; one with a time is not shown.
    const timeless = sigstoreBlob({ payload: cosignPayload(REFERENCE, INSTANCE), key });
    const anew = await signManifest(alice, { at: now });
    for (const admit of [
      [alice.signedBy, byKey],
      [byKey, alice.signedBy],
    ])
      assert.match(
        reasonsOf((await askOld(admit, [], [timeless, anew])).verdict),
        /for one of the requirements no signature that counts proves when it was made/,
      );
  });

  it('a06: refuses an old signature by a key that somebody had logged again', async () => {
    const [key, log] = [makeKey(), makeLog('rekor.example')];
    const signed = {
      type: 'sigstoreSigned',
      keyData: data(key.pem),
      rekorPublicKeyData: data(log.key.pem),
      signedIdentity: { type: 'matchDigest' },
    };
    const bundle = encodeBundleBlob(keyedBundle(key, statement(INSTANCE), { log }));
    const payload = cosignPayload('registry.example/coreos/etcd', INSTANCE);
    const attachment = sigstoreBlob({ payload, key, rekor: log.key });
    for (const found of [bundle, attachment]) {
      assert.match(
        reasonsOf((await askOld([signed], [], [found])).verdict),
        /no signature that counts proves when it was made/,
      );
    }
  });

  it('lets the operator go back, and records from what', async () => {
    const { verdict } = await ask(older, history({ allowDowngrade: true }));
    assert.ok(verdict.allowed);
    assert.deepEqual(verdict.outcomes.at(-1), {
      type: 'noDowngrade',
      signedAt: older.toISOString(),
      downgradeFrom: OTHER,
    });
  });

  it('refuses what proves no time', async () => {
    const { verdict } = await evaluateSigned({
      policy: docker({ 'registry.example': [ACCEPT] }),
      trustD: docker({ '': { also: [rule] } }),
      history: history(),
    });
    assert.match(reasonsOf(verdict), /no signature was asked for that could prove when/);
  });

  it('refuses where what is stored cannot be told', async () => {
    const damaged = history({
      newestStored: () => {
        throw new TrustError('UNREADABLE_FILE', 'signed-times.json is damaged', { hint: 'x' });
      },
    });
    assert.match(reasonsOf((await ask(now, damaged)).verdict), /signed-times\.json is damaged/);
    assert.match(reasonsOf((await ask(now)).verdict), /what is stored is not known here/);
  });
});
