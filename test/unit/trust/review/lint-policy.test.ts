// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, it } from 'node:test';
import {
  generateKey,
  PacketList,
  type PrivateKey,
  reformatKey,
  revokeKey,
  type SignaturePacket,
} from 'openpgp';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { parseRegistriesD } from '../../../../src/trust/lookaside/registries-d.ts';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../../../src/trust/policy/trust-d.ts';
import type { LintFinding } from '../../../../src/trust/review/lint-finding.ts';
import { lintPolicy } from '../../../../src/trust/review/lint-policy.ts';
import { type PolicySurvey, surveyPolicy } from '../../../../src/trust/review/survey-policy.ts';
import { TrustError } from '../../../../src/trust/verdict/trust-error.ts';

const DAY_MS = 86_400_000;
const NOW = new Date('2025-06-15T12:00:00Z');
const MADE = new Date(NOW.getTime() - 100 * DAY_MS);

const HOST = new HostRoot('/nowhere');
const files = new Map<string, Buffer>();

before(async () => {
  const make = async (name: string, days: number | undefined): Promise<void> => {
    const { publicKey, privateKey } = await generateKey({
      type: 'curve25519',
      userIDs: [{ name, email: `${name}@example.com` }],
      date: MADE,
      ...(days === undefined ? {} : { keyExpirationTime: days * 86_400 }),
      format: 'object',
    });
    files.set(`/k/${name}`, Buffer.from(publicKey.write()));
    if (name === 'withdrawn') files.set(`/k/${name}.rev`, await revocationOf(privateKey));
    if (name === 'extended') files.set(`/k/${name}.new`, await extensionOf(privateKey));
    if (name !== 'revoked') return;
    const revoked = await revokeKey({ key: privateKey, date: MADE, format: 'object' });
    files.set(`/k/${name}`, Buffer.from(revoked.publicKey.write()));
  };
  await make('good', undefined);
  await make('long', 1000);
  await make('soon', 120);
  await make('expired', 50);
  await make('revoked', undefined);
  await make('withdrawn', undefined);
  await make('extended', 50);
  files.set('/k/garbage', Buffer.from('no key'));
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  files.set('/k/cosign.pub', Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })));
});

/** The certificate that revokes a key, without the key. */
async function revocationOf(key: PrivateKey): Promise<Buffer> {
  const [signature] = (await revokeKey({ key, date: MADE, format: 'object' })).publicKey
    .revocationSignatures;
  assert.ok(signature !== undefined);
  return Buffer.from(new PacketList<SignaturePacket>(signature).write());
}

/** The same key, to expire later. */
async function extensionOf(privateKey: PrivateKey): Promise<Buffer> {
  const { publicKey } = await reformatKey({
    privateKey,
    userIDs: [{ name: 'extended', email: 'extended@example.com' }],
    date: new Date(MADE.getTime() + DAY_MS),
    keyExpirationTime: 1000 * 86_400,
    format: 'object',
  });
  return Buffer.from(publicKey.write());
}

async function readKeyFile(path: string): Promise<Buffer> {
  const bytes = files.get(path);
  if (bytes !== undefined) return bytes;
  throw new TrustError('UNREADABLE_FILE', `key file "${path}" does not exist`);
}

interface Files {
  readonly default?: object;
  readonly transports?: object;
  readonly registriesD?: string;
  /** `transports` of /d/own.json. */
  readonly trustD?: object;
  /** Files of /d that are none of trust.d's. */
  readonly unread?: readonly string[];
}

async function look(
  given: Files,
): Promise<{ readonly survey: PolicySurvey; readonly findings: readonly LintFinding[] }> {
  const document = { default: [given.default ?? REJECT], transports: given.transports ?? {} };
  const own = JSON.stringify({ version: 1, transports: given.trustD ?? {} }, undefined, 1);
  const policy = {
    ...parsePolicy(JSON.stringify(document, undefined, 1), 'policy.json'),
    trustD: parseTrustD('/d', [{ path: '/d/own.json', text: own }], given.unread),
  };
  const text = given.registriesD ?? '';
  const registriesD = await parseRegistriesD([{ path: '/d/a.yaml', text }]);
  const survey = await surveyPolicy({ policy, readKeyFile }, registriesD, HOST, NOW);
  return { survey, findings: lintPolicy(policy, registriesD, survey, NOW) };
}

const REJECT = { type: 'reject' };
const ACCEPT = { type: 'insecureAcceptAnything' };
const gpg = (...names: readonly string[]) => ({
  type: 'signedBy',
  keyType: 'GPGKeys',
  keyPaths: names.map((name) => `/k/${name}`),
});
const ANY_TAG = { ...gpg('long'), signedIdentity: { type: 'matchRepository' } };
const MATCH_DIGEST = { signedIdentity: { type: 'matchDigest' } };
const SIGSTORE = { type: 'sigstoreSigned', keyPath: '/k/cosign.pub' };
const docker = (scopes: Record<string, object>) => ({
  docker: Object.fromEntries(Object.entries(scopes).map(([scope, one]) => [scope, [one]])),
});

describe('lintPolicy', () => {
  const cases: readonly {
    readonly name: string;
    readonly given: Files;
    readonly codes: readonly LintFinding['code'][];
    readonly says?: RegExp;
    /** Of the first finding. */
    readonly at?: readonly [file: string, line: number];
  }[] = [
    {
      name: 'nothing in a policy of scopes with good keys',
      given: { transports: docker({ 'quay.io/a': gpg('good', 'long') }) },
      codes: [],
    },
    {
      name: 'a file of trust.d that is not read',
      given: { unread: ['/d/own.jsn'] },
      codes: ['dead'],
      says: /^is not read: .* end in \.json$/,
    },
    {
      name: 'a default that accepts all',
      given: { default: ACCEPT },
      codes: ['accepts-all'],
      says: /^the default admits every image/,
      at: ['policy.json', 2],
    },
    {
      name: 'a scope that accepts all',
      given: { transports: docker({ 'quay.io/a': ACCEPT }) },
      codes: ['accepts-all'],
      says: /docker scope "quay\.io\/a"/,
      at: ['policy.json', 9],
    },
    {
      name: 'a scope of trust.d that accepts all',
      given: { trustD: { docker: { 'quay.io/a': { admit: [ACCEPT] } } } },
      codes: ['accepts-all'],
      says: /docker scope "quay\.io\/a" admits every image/,
      at: ['/d/own.json', 6],
    },
    {
      name: 'nothing in a scope that accepts all, of which trust.d wants signatures',
      given: {
        transports: docker({ 'quay.io/a': ACCEPT }),
        trustD: { docker: { 'quay.io': { also: [gpg('good')] } } },
      },
      codes: [],
    },
    {
      name: 'a scope whose place one of trust.d takes',
      given: {
        transports: docker({ 'quay.io': gpg('long'), 'quay.io/a': gpg('long') }),
        trustD: { docker: { 'quay.io/a': { admit: [gpg('good')] } } },
      },
      codes: ['hidden'],
      says: /docker scope "quay\.io\/a" has no effect: \/d\/own\.json:\d+, .* takes its place/,
      at: ['policy.json', 18],
    },
    {
      name: 'nothing where trust.d only adds to a scope',
      given: {
        transports: docker({ 'quay.io/a': gpg('good') }),
        trustD: { docker: { 'quay.io/a': { also: [{ type: 'noDowngrade' }] } } },
      },
      codes: [],
    },
    {
      name: 'a scope of trust.d that says what the wider one of policy.json says',
      given: {
        transports: docker({ 'quay.io': gpg('good') }),
        trustD: { docker: { 'quay.io/a': { admit: [gpg('good')] } } },
      },
      codes: ['redundant'],
      at: ['/d/own.json', 6],
    },
    {
      name: 'an expired key in an anyOf',
      given: {
        trustD: {
          docker: {
            'quay.io': {
              admit: [{ type: 'anyOf', requirements: [gpg('good'), gpg('expired')] }],
            },
          },
        },
      },
      codes: ['invalid-key'],
    },
    {
      name: 'signatures that images of the transport cannot carry',
      given: {
        transports: {
          oci: { '/srv/a': [gpg('long')] },
          'oci-archive': { '': [gpg('long')] },
          'docker-archive': { '': [{ type: 'sigstoreSigned', keyPath: '/k/cosign.pub' }] },
          dir: { '/srv/a': [gpg('long')] },
        },
      },
      codes: ['cannot-be-met', 'cannot-be-met', 'cannot-be-met'],
    },
    {
      name: 'an anyOf that asks for more signers than it names',
      given: {
        trustD: {
          docker: {
            'quay.io': {
              also: [{ type: 'anyOf', min: 2, requirements: [gpg('good'), gpg('good')] }],
            },
          },
        },
      },
      codes: ['cannot-be-met'],
      says: /"quay\.io", in addition: anyOf asks for 2 signers, and names 1/,
    },
    {
      name: 'sigstore in an anyOf that is not looked for',
      given: {
        trustD: {
          docker: {
            'quay.io': {
              admit: [{ type: 'anyOf', min: 2, requirements: [gpg('good'), SIGSTORE] }],
            },
          },
        },
      },
      codes: ['attachments-off'],
    },
    {
      name: 'a01: signatures that name no tag',
      given: { transports: docker({ 'quay.io/a': ANY_TAG }) },
      codes: ['any-tag'],
      says: /any signed image of a repository stands for every tag of it/,
    },
    {
      name: 'a01: bundles, which name nothing',
      given: {
        trustD: { docker: { 'quay.io': { admit: [{ ...SIGSTORE, ...MATCH_DIGEST }] } } },
        registriesD: 'default-docker: {use-sigstore-attachments: true}',
      },
      codes: ['any-tag'],
    },
    {
      name: 'a01: one of an anyOf that names no tag',
      given: {
        trustD: {
          docker: {
            'quay.io': { admit: [{ type: 'anyOf', requirements: [gpg('good'), ANY_TAG] }] },
          },
        },
      },
      codes: ['any-tag'],
    },
    {
      name: 'nothing in signatures that name no tag, where one that names it must be there, too',
      given: {
        trustD: {
          docker: {
            'quay.io/a': { admit: [ANY_TAG, gpg('good')] },
            'quay.io/b': {
              admit: [{ type: 'anyOf', min: 2, requirements: [gpg('good'), ANY_TAG] }],
            },
          },
        },
      },
      codes: [],
    },
    {
      name: 'nothing in signatures that name no tag, where nothing goes back',
      given: {
        transports: docker({ 'quay.io/a': ANY_TAG }),
        trustD: { docker: { 'quay.io': { also: [{ type: 'noDowngrade' }] } } },
      },
      codes: [],
    },
    {
      name: 'an unknown transport',
      given: { transports: { teleport: { x: [REJECT] } } },
      codes: ['dead'],
      says: /no known transport/,
    },
    {
      name: 'a scope in short form',
      given: { transports: docker({ busybox: REJECT }) },
      codes: ['dead'],
      says: /docker\.io\/library\/busybox/,
    },
    {
      name: 'a scope that says what the wider one says',
      given: { transports: docker({ 'quay.io': gpg('good'), 'quay.io/a': gpg('good') }) },
      codes: ['redundant'],
      says: /"quay\.io\/a" says what the next wider/,
    },
    {
      name: 'nothing in a scope that says again what the default says',
      given: { transports: docker({ 'docker.io': REJECT }) },
      codes: [],
    },
    {
      name: 'nothing in a scope between which and the same another stands',
      given: {
        transports: docker({ 'a.b': gpg('good'), 'a.b/c': REJECT, 'a.b/c/d': gpg('good') }),
      },
      codes: [],
    },
    {
      name: 'a key that is not there, beside a good one',
      given: { transports: docker({ 'a.b': gpg('good', 'none') }) },
      codes: ['unreadable-key'],
      says: /"\/k\/none" does not exist/,
      at: ['policy.json', 9],
    },
    {
      name: 'a file without a key',
      given: { transports: docker({ 'a.b': gpg('garbage') }) },
      codes: ['unreadable-key'],
      says: /no OpenPGP key/,
    },
    {
      name: 'no keys at all',
      given: { transports: docker({ 'a.b': gpg() }) },
      codes: ['dead'],
      says: /names no key/,
    },
    {
      name: 'an expired key',
      given: { transports: docker({ 'a.b': gpg('expired') }) },
      codes: ['invalid-key'],
      says: /"expired <expired@example\.com>" from \/k\/expired.*expired$/,
    },
    {
      name: 'a revoked key',
      given: { transports: docker({ 'a.b': gpg('revoked') }) },
      codes: ['invalid-key'],
      says: /revoked$/,
    },
    {
      name: 'a key that a certificate in another file of the requirement revokes',
      given: { transports: docker({ 'a.b': gpg('withdrawn', 'good', 'withdrawn.rev') }) },
      codes: ['invalid-key'],
      says: /"withdrawn <withdrawn@example\.com>" from \/k\/withdrawn.*revoked$/,
    },
    {
      name: 'no key revoked by a certificate that another requirement names',
      given: {
        transports: docker({ 'a.b': gpg('withdrawn'), 'c.d': gpg('good', 'withdrawn.rev') }),
      },
      codes: ['unreadable-key'],
      says: /^docker scope "c\.d": \/k\/withdrawn\.rev: unreadable OpenPGP key/,
    },
    {
      name: 'no expired key where another file of the requirement has it with a longer life',
      given: { transports: docker({ 'a.b': gpg('extended', 'extended.new') }) },
      codes: [],
    },
    {
      name: 'a key that expires soon',
      given: { transports: docker({ 'a.b': gpg('soon') }) },
      codes: ['expiring-key'],
      says: /expires on 2025-07-05, in 20 days$/,
    },
    {
      name: 'requirements that no tool implements',
      given: {
        transports: docker({
          'a.b': { type: 'signedBaseLayer', baseLayerIdentity: { type: 'matchExact' } },
          'c.d': { ...gpg('good'), keyType: 'X509Certificates' },
        }),
      },
      codes: ['cannot-be-met', 'cannot-be-met'],
    },
    {
      name: 'sigstore signatures that nobody looks for',
      given: { transports: docker({ 'a.b/c': SIGSTORE }) },
      codes: ['attachments-off'],
      says: /use-sigstore-attachments/,
    },
    {
      name: 'nothing where registries.d looks for them, for the scope or a wider one',
      given: {
        transports: docker({ 'a.b/c': SIGSTORE, 'e.f': SIGSTORE }),
        registriesD:
          'docker:\n  a.b:\n    use-sigstore-attachments: true\n  e.f/g:\n    use-sigstore-attachments: true\n',
      },
      codes: [],
    },
    {
      name: 'sections of registries.d that never apply, and unknown keys',
      given: {
        registriesD:
          'dokcer: {}\ndocker:\n  busybox:\n    lookaside: https://x\n  a.b: {}\n  "": {lookaside: https://y}\n',
      },
      codes: ['unknown-key', 'dead', 'dead', 'dead'],
      at: ['/d/a.yaml', 1],
    },
    {
      name: 'a broken sigstore key',
      given: {
        transports: docker({ 'a.b': { ...SIGSTORE, keyPath: '/k/garbage' } }),
        registriesD: 'default-docker:\n  use-sigstore-attachments: true\n',
      },
      codes: ['unreadable-key'],
      says: /no public key in PEM/,
    },
  ];
  for (const { name, given, codes, says, at } of cases) {
    it(`finds ${name}`, async () => {
      const { findings } = await look(given);
      assert.deepEqual(
        findings.map(({ code }) => code),
        codes,
        JSON.stringify(findings),
      );
      const [first] = findings;
      if (says !== undefined) assert.match(first?.message ?? '', says);
      if (at !== undefined) assert.deepEqual([first?.file, first?.line], at);
      for (const finding of findings) assert.notEqual(finding.advice, '');
    });
  }
});

describe('surveyPolicy', () => {
  it('has every rule with its keys, their owners and expiry, and its sections', async () => {
    const { survey } = await look({
      transports: docker({
        'a.b': gpg('long'),
        'c.d': {
          type: 'sigstoreSigned',
          keyPath: '/k/cosign.pub',
          rekorPublicKeyPath: '/k/cosign.pub',
        },
      }),
      registriesD: 'docker:\n  a.b:\n    lookaside: https://s\n',
    });
    const [fallback, first, second] = survey.rules;
    assert.deepEqual([fallback?.rule.scope, fallback?.rule.line], [undefined, 2]);
    const [key] = first?.requirements[0]?.keys ?? [];
    assert.deepEqual(key?.names, ['long <long@example.com>']);
    assert.equal(key?.expiresAt?.getTime(), MADE.getTime() + 1000 * DAY_MS);
    assert.equal(key?.problem, undefined);
    assert.deepEqual(first?.signatures?.lookaside?.line, 2);
    assert.deepEqual(
      second?.requirements[0]?.keys.map(({ kind }) => kind),
      ['public-key', 'rekor-key'],
    );
    assert.equal(second?.signatures?.lookaside, undefined);
  });

  it('reads the certificates of authorities', async () => {
    const { survey } = await look({
      transports: docker({
        'a.b': {
          type: 'sigstoreSigned',
          pki: { caRootsPath: '/k/garbage', subjectEmail: 'a@b' },
        },
        'c.d': {
          type: 'sigstoreSigned',
          fulcio: { caPath: '/k/none', oidcIssuer: 'https://i', subjectEmail: 'a@b' },
          rekorPublicKeyPath: '/k/cosign.pub',
        },
      }),
    });
    const [, pki, fulcio] = survey.rules;
    assert.match(pki?.requirements[0]?.problems[0] ?? '', /no certificate in PEM/);
    assert.match(fulcio?.requirements[0]?.problems[0] ?? '', /does not exist/);
  });
});
