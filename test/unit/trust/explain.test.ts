// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createMessage, generateKey, type PrivateKey, sign } from 'openpgp';
import { sha256 } from '../../../src/base/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { SignaturePlaces } from '../../../src/trust/signature-advice.ts';
import { evaluatePolicy } from '../../../src/trust/evaluate.ts';
import { explain, type Explanation } from '../../../src/trust/explain.ts';
import { parsePolicy } from '../../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../../src/trust/policy/trust-d.ts';
import { readUntrustedClaims } from '../../../src/trust/review/untrusted-claims.ts';
import type { PolicySubject } from '../../../src/trust/verdict/evaluation.ts';
import { TrustError } from '../../../src/trust/verdict/trust-error.ts';
import { makeKey } from '../../support/trust/der-certificate.ts';
import { simpleSigningPayload } from '../../support/trust/gpg.ts';
import { cosignPayload, sigstoreBlob } from '../../support/trust/sigstore-signatures.ts';

const REFERENCE = 'registry.example/coreos/etcd:3.4';
const MANIFEST = Buffer.from('{"schemaVersion":2}');
const REGISTRY_IMAGE: PolicySubject = {
  transport: 'docker',
  policyIdentity: REFERENCE,
  reference: parseReference(REFERENCE),
  manifestDigest: sha256(MANIFEST),
  manifestBytes: MANIFEST,
};
const DIRECTORY: PolicySubject = {
  ...REGISTRY_IMAGE,
  transport: 'dir',
  policyIdentity: '/srv/with space',
  reference: undefined,
};
const NOWHERE: SignaturePlaces = { useSigstoreAttachments: false, hasLookaside: false };

const COSIGN = makeKey();
let alice: PrivateKey;
let bob: PrivateKey;

before(async () => {
  const make = async () =>
    (await generateKey({ type: 'curve25519', userIDs: [{ name: 'x' }], format: 'object' }))
      .privateKey;
  alice = await make();
  bob = await make();
});

async function signedBy(key: PrivateKey, reference = REFERENCE): Promise<Buffer> {
  const text = simpleSigningPayload(reference, REGISTRY_IMAGE.manifestDigest);
  const message = await createMessage({ binary: Buffer.from(text) });
  return Buffer.from((await sign({ message, signingKeys: key, format: 'object' })).write());
}

const SIGSTORE = Buffer.from(
  `\0sigstore-json\n${JSON.stringify({
    mimeType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    payload: Buffer.from(simpleSigningPayload('a.b/c', 'sha256:x')).toString('base64'),
  })}`,
);

interface Asked {
  /** Of scope `registry.example`, or of dir:/srv; none leaves the image to the default, which rejects. */
  readonly requirement?: object;
  /** Instead of `registry.example`. */
  readonly scope?: string;
  /** A second one of the same scope. */
  readonly and?: object;
  /** A file of trust.d with a scope that stands in the place of policy.json's. */
  readonly trustD?: { readonly file: string; readonly scope: object };
  /** What looking for signatures fails with. */
  readonly failure?: Error;
  readonly default?: object;
  readonly subject?: PolicySubject;
  readonly signatures?: readonly Buffer[];
  readonly configured?: SignaturePlaces;
}

async function explained(asked: Asked): Promise<Explanation> {
  const subject = asked.subject ?? REGISTRY_IMAGE;
  const list = [asked.requirement, asked.and].filter((one) => one !== undefined);
  const scopes = list.length === 0 ? {} : { [asked.scope ?? 'registry.example']: list };
  const dir = list.length === 0 ? {} : { '/srv': list };
  const { trustD } = asked;
  const policy = {
    ...parsePolicy(
      JSON.stringify({
        default: [asked.default ?? { type: 'reject' }],
        transports: { docker: { ...scopes, '*.example': [{ type: 'reject' }] }, dir },
      }),
      '/etc/containers/policy.json',
    ),
    ...(trustD && {
      trustD: parseTrustD('/etc/sysct/trust.d', [
        {
          path: `/etc/sysct/trust.d/${trustD.file}`,
          text: JSON.stringify({
            version: 1,
            transports: { docker: { 'registry.example': trustD.scope } },
          }),
        },
      ]),
    }),
  };
  const source = 'https://registry.example/extensions/v2/x (same name)';
  const candidates = (asked.signatures ?? []).map((bytes) => ({ bytes, source }));
  const evaluation = await evaluatePolicy(
    policy,
    subject,
    async () => {
      if (asked.failure !== undefined) throw asked.failure;
      return { candidates, places: [{ place: 's', answer: '404' }] };
    },
    {
      readKeyFile: async (path) => {
        if (path === '/k/cosign.pub') return Buffer.from(COSIGN.pem);
        if (path !== '/k/a.gpg')
          throw new TrustError('UNREADABLE_FILE', `no ${path}`, { hint: 'put it there' });
        return Buffer.from(alice.toPublic().write());
      },
      signal: new AbortController().signal,
      now: () => new Date(),
    },
  );
  return await explain(policy, subject, evaluation, candidates, asked.configured ?? NOWHERE);
}

const GPG = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k/a.gpg' };
const ALLOW = 'sysct trust allow registry.example';
const ALLOW_THIS = 'sysct trust allow registry.example/coreos/etcd';

describe('explain', () => {
  const cases: readonly {
    readonly name: string;
    readonly asked: () => Promise<Asked>;
    readonly commands: readonly (string | undefined)[];
    readonly text?: RegExp;
  }[] = [
    {
      name: 'nothing for an image whose signature counts',
      asked: async () => ({ requirement: GPG, signatures: [await signedBy(alice)] }),
      commands: [],
    },
    {
      name: 'another key',
      asked: async () => ({ requirement: GPG, signatures: [await signedBy(bob)] }),
      commands: [`${ALLOW_THIS} --gpg-key /k/a.gpg --key-in-place --gpg-key KEYFILE`],
    },
    {
      name: 'another sigstore key',
      asked: async () => ({
        requirement: { type: 'sigstoreSigned', keyPath: '/k/cosign.pub' },
        signatures: [
          sigstoreBlob({
            payload: cosignPayload(REFERENCE, REGISTRY_IMAGE.manifestDigest),
            key: makeKey(),
          }),
        ],
      }),
      commands: [
        `${ALLOW_THIS} --sigstore-key /k/cosign.pub --key-in-place --sigstore-key KEYFILE`,
      ],
      text: /none of the keys of the policy made the signature/,
    },
    {
      name: 'matchRepository for another tag',
      asked: async () => ({
        requirement: GPG,
        signatures: [await signedBy(alice, 'registry.example/coreos/etcd:9')],
      }),
      commands: [
        `${ALLOW_THIS} --gpg-key /k/a.gpg --key-in-place --signed-identity matchRepository`,
      ],
      text: /one signed image in the place of another/,
    },
    {
      name: 'exactRepository for the copy of another image, and for none of its neighbours',
      asked: async () => ({
        requirement: GPG,
        signatures: [await signedBy(alice, 'quay.io/coreos/etcd:3.4')],
      }),
      commands: [
        `${ALLOW_THIS} --gpg-key /k/a.gpg --key-in-place --signed-identity exactRepository=quay.io/coreos/etcd`,
      ],
    },
    {
      name: 'what was signed, not what another signature of the same name claims',
      asked: async () => ({
        requirement: GPG,
        signatures: [
          await signedBy(bob, 'evil.example/x:1'),
          await signedBy(alice, 'quay.io/coreos/etcd:3.4'),
        ],
      }),
      commands: [
        `${ALLOW_THIS} --gpg-key /k/a.gpg --key-in-place --signed-identity exactRepository=quay.io/coreos/etcd`,
        `${ALLOW_THIS} --gpg-key /k/a.gpg --key-in-place --gpg-key KEYFILE`,
      ],
    },
    {
      name: 'a command that keeps the identity that the rule asks for',
      asked: async () => ({
        requirement: {
          ...GPG,
          signedIdentity: { type: 'remapIdentity', prefix: 'a.b', signedPrefix: 'c.d' },
        },
      }),
      commands: [
        `${ALLOW} --gpg-key /k/a.gpg --key-in-place --signed-identity remapIdentity=a.b=c.d --lookaside URL`,
      ],
    },
    {
      name: 'no command where it would take another requirement away',
      asked: async () => ({ requirement: GPG, and: GPG, signatures: [await signedBy(bob)] }),
      commands: [undefined],
      text: /: write "keyPaths": \["\/k\/a\.gpg","KEYFILE"\] \(instead of "keyPath"\) into \/etc\/containers\/policy\.json:1 by hand, as the rule has several requirements$/,
    },
    {
      name: 'a command where the rule is in the file of trust.d that commands write',
      asked: async () => ({
        trustD: { file: 'sysct.json', scope: { admit: [{ ...GPG, signedManifest: 'index' }] } },
        signatures: [await signedBy(bob)],
      }),
      commands: [
        `${ALLOW_THIS} --gpg-key /k/a.gpg --signed-manifest index --key-in-place --gpg-key KEYFILE`,
      ],
    },
    {
      name: 'the verb that adds where the rule is in addition',
      asked: async () => ({
        trustD: {
          file: 'sysct.json',
          scope: { admit: [{ type: 'insecureAcceptAnything' }], also: [GPG] },
        },
        signatures: [await signedBy(bob)],
      }),
      commands: [
        'sysct trust require registry.example --gpg-key /k/a.gpg --key-in-place --gpg-key KEYFILE',
      ],
    },
    {
      name: 'what to write where, if the rule is in another file of trust.d',
      asked: async () => ({
        trustD: { file: 'own.json', scope: { admit: [GPG] } },
        signatures: [await signedBy(alice, 'registry.example/coreos/etcd:9')],
      }),
      commands: [undefined],
      text: /: write "signedIdentity": \{"type": "matchRepository"\} into \/etc\/sysct\/trust\.d\/own\.json:1 by hand, as the rule is one of trust\.d, outside of sysct\.json$/,
    },
    {
      name: 'what to write of each part of an anyOf that is not met, once',
      asked: async () => ({
        trustD: {
          file: 'sysct.json',
          scope: {
            admit: [
              {
                type: 'anyOf',
                requirements: [GPG, GPG, { type: 'sigstoreSigned', keyPath: '/k/cosign.pub' }],
              },
            ],
          },
        },
        signatures: [await signedBy(bob)],
      }),
      commands: [undefined, undefined, undefined],
      text: /"keyPaths": \["\/k\/a\.gpg","KEYFILE"\] \(instead of "keyPath"\) into \/etc\/sysct\/trust\.d\/sysct\.json:1 by hand, as the requirement is an anyOf$/,
    },
    {
      name: 'what the failure of a server says',
      asked: async () => ({
        requirement: GPG,
        failure: new TrustError('SIGNATURES_UNREADABLE', 'answers 500', { hint: 'ask its owner' }),
      }),
      commands: [undefined],
      text: /^ask its owner$/,
    },
    {
      name: 'the index of a multi-arch image, which may be what is signed',
      asked: async () => ({
        requirement: GPG,
        subject: {
          ...REGISTRY_IMAGE,
          index: { digest: sha256('index'), bytes: Buffer.from('index') },
        },
      }),
      commands: [
        `${ALLOW_THIS} --gpg-key /k/a.gpg --key-in-place --signed-manifest indexOrInstance`,
        `${ALLOW} --gpg-key /k/a.gpg --key-in-place --lookaside URL`,
      ],
      text: /perhaps its publisher signs the index that it was chosen from, sha256:/,
    },
    {
      name: 'a lookaside where none is configured',
      asked: async () => ({ requirement: GPG }),
      commands: [`${ALLOW} --gpg-key /k/a.gpg --key-in-place --lookaside URL`],
      text: /no lookaside is configured/,
    },
    {
      name: 'signing where the configured lookaside has nothing',
      asked: async () => ({
        requirement: GPG,
        configured: { ...NOWHERE, hasLookaside: true },
      }),
      commands: [`${ALLOW} --gpg-key /k/a.gpg --key-in-place --lookaside URL`],
      text: /have sha256:[0-9a-f]{64} signed/,
    },
    {
      name: 'the other kind of signature, where that is there',
      asked: async () => ({ requirement: GPG, signatures: [SIGSTORE] }),
      commands: [
        `${ALLOW_THIS} --sigstore-key cosign.pub --signed-identity matchRepository --sigstore-attachments`,
        `${ALLOW} --gpg-key /k/a.gpg --key-in-place --lookaside URL`,
      ],
    },
    {
      name: 'no command where the keys stand in the policy itself',
      asked: async () => ({
        requirement: {
          type: 'signedBy',
          keyType: 'GPGKeys',
          keyData: Buffer.from(alice.toPublic().write()).toString('base64'),
        },
        signatures: [await signedBy(bob)],
      }),
      commands: [undefined],
    },
    {
      name: 'what the failure itself says, where keys cannot be read',
      asked: async () => ({ requirement: { ...GPG, keyPath: '/k/none' } }),
      commands: [undefined],
      text: /^put it there$/,
    },
    {
      name: 'a scope of its own for what the default refuses',
      asked: async () => ({
        subject: {
          ...REGISTRY_IMAGE,
          policyIdentity: 'x.y/z:1',
          reference: parseReference('x.y/z:1'),
        },
      }),
      commands: ['sysct trust allow x.y/z --gpg-key KEYFILE'],
    },
    {
      name: 'a scope of its own below the one that rejects, and to let in nothing else of that',
      asked: async () => ({ requirement: { type: 'reject' } }),
      commands: [`${ALLOW_THIS} --gpg-key KEYFILE`],
    },
    {
      name: 'no wider scope than one that rejects a single tag',
      asked: async () => ({ requirement: { type: 'reject' }, scope: REFERENCE }),
      commands: [`sysct trust allow ${REFERENCE} --gpg-key KEYFILE`],
    },
    {
      name: 'to admit nothing where what must hold in addition rejects',
      asked: async () => ({
        trustD: {
          file: 'sysct.json',
          scope: { admit: [{ type: 'insecureAcceptAnything' }], also: [{ type: 'reject' }] },
        },
      }),
      commands: [undefined],
      text: /sysct\.json:1 by hand, as the rule must hold whatever admits the image$/,
    },
    {
      name: 'to admit nothing where what must hold in addition asks for another name',
      asked: async () => ({
        trustD: {
          file: 'sysct.json',
          scope: { admit: [{ type: 'insecureAcceptAnything' }], also: [GPG] },
        },
        signatures: [await signedBy(alice, 'quay.io/coreos/etcd:3.4')],
      }),
      commands: [undefined],
    },
    {
      name: 'a scope for what a default accepts',
      asked: async () => ({
        subject: DIRECTORY,
        default: { type: 'insecureAcceptAnything' },
      }),
      commands: ["sysct trust allow 'dir:/srv/with space' --gpg-key KEYFILE"],
    },
    {
      name: 'a signature beside a directory that has none',
      asked: async () => ({ subject: DIRECTORY, requirement: GPG }),
      commands: [undefined],
    },
    {
      name: 'a kind of signature that a layout can keep',
      asked: async () => ({
        subject: { ...DIRECTORY, transport: 'oci', policyIdentity: '/srv/app' },
      }),
      commands: ['sysct trust allow oci:/srv/app --sigstore-key KEYFILE --bundles'],
    },
    {
      name: 'to do without signatures in archives of Docker, which keep none',
      asked: async () => ({
        subject: { ...DIRECTORY, transport: 'docker-archive', policyIdentity: '' },
      }),
      commands: ['sysct trust allow docker-archive: --unsigned'],
    },
    {
      name: 'another requirement than signedBaseLayer',
      asked: async () => ({
        requirement: { type: 'signedBaseLayer', baseLayerIdentity: { type: 'matchExact' } },
      }),
      commands: [`${ALLOW_THIS} --gpg-key KEYFILE`],
    },
  ];
  for (const { name, asked, commands, text } of cases) {
    it(`advises ${name}`, async () => {
      const { advice } = await explained(await asked());
      assert.deepEqual(
        advice.map(({ command }) => command),
        commands,
      );
      if (text !== undefined) assert.match(advice[0]?.text ?? '', text);
    });
  }

  it('says who may sign also where looking for signatures failed', async () => {
    const failure = new TrustError('SIGNATURES_UNREADABLE', 'answers 500');
    const { requirements, places } = await explained({ requirement: GPG, failure });
    assert.match(requirements[0]?.signers[0] ?? '', /^[0-9A-F]{40} "x" from \/k\/a\.gpg$/);
    assert.match(requirements[0]?.reasons[0] ?? '', /looking for signatures failed: answers 500/);
    assert.deepEqual(places, []);
  });

  it('names the rules that the one hides, nearest first', async () => {
    const { rule, shadowed } = await explained({ requirement: GPG });
    assert.equal(rule.scope, 'registry.example');
    assert.deepEqual(
      shadowed.map(({ scope }) => scope),
      ['*.example', undefined],
    );
  });
});

describe('readUntrustedClaims', () => {
  it('reads what an OpenPGP message says of itself, without its key', async () => {
    const claims = await readUntrustedClaims(await signedBy(bob));
    assert.deepEqual(claims, {
      format: 'simple-signing',
      keyIds: [bob.getKeyID().toHex().toUpperCase()],
      dockerReference: REFERENCE,
      manifestDigest: REGISTRY_IMAGE.manifestDigest,
    });
  });
  it('reads what a sigstore signature says of itself', async () => {
    assert.deepEqual(await readUntrustedClaims(SIGSTORE), {
      format: 'sigstore-json',
      keyIds: [],
      dockerReference: 'a.b/c',
      manifestDigest: 'sha256:x',
    });
  });
  it('has nothing to tell of what is none', async () => {
    assert.equal(await readUntrustedClaims(Buffer.from('<html>')), undefined);
    for (const bytes of [Buffer.from([0x90, 1, 2]), Buffer.alloc(70_000, 0x90)]) {
      assert.deepEqual(await readUntrustedClaims(bytes), {
        format: 'simple-signing',
        keyIds: [],
        dockerReference: undefined,
        manifestDigest: undefined,
      });
    }
  });
});
