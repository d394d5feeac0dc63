// SPDX-License-Identifier: Apache-2.0
// What a requirement of trust.d makes of bundles, good and forged; the same cases for us and for cosign.
import {
  CODE_SIGNING,
  extendedKeyUsage,
  makeCertificate,
  makeKey,
  SERVER_AUTH,
  type TestKey,
} from './der-certificate.ts';
import {
  type BundleJson,
  firstEntry,
  hintOf,
  keyedBundle,
  keylessBundle,
  type KeylessParts,
  secondBundle,
  secondEntry,
  statement,
  subjectOf,
} from './sigstore-bundles.ts';
import {
  fulcioText,
  type LeafParts,
  makeInstance,
  makeLeaf,
  makeLog,
  makeTimestamp,
  OIDC_ISSUER,
  type SigstoreInstance,
  trustedRoot,
  type TrustedRootJson,
  WORKFLOW,
} from './sigstore-instance.ts';

export interface BundleCase {
  readonly name: string;
  readonly allowed: boolean;
  /** In our reasons, where it is refused. */
  readonly because?: RegExp;
  /** As trust.d has it. */
  readonly requirement: object;
  readonly bundles: readonly Buffer[];
  /** How cosign is asked the same; absent where it cannot be. */
  readonly cosign?: CosignQuestion;
}

export interface CosignQuestion {
  /** The public key, or the trusted root and who must have signed. */
  readonly by:
    | { readonly key: string }
    | { readonly root: Buffer; readonly issuer: string; readonly identity: string };
  readonly predicateType: string;
  /** Why cosign thinks otherwise. */
  readonly differs?: string;
}

const HOUR_MS = 3_600_000;
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const SIGN = 'https://sigstore.dev/cosign/sign/v1';
const data = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');
const MATCH_DIGEST = { signedIdentity: { type: 'matchDigest' } };

/** All cases, for a manifest with this digest. */
export function bundleCases(digest: string): readonly BundleCase[] {
  const instance = makeInstance();
  return [
    ...keyedCases(digest),
    ...formCases(digest),
    ...keylessCases(digest, instance),
    ...certificateCases(digest, instance),
    ...logCases(digest, instance),
    ...timestampCases(digest, instance),
    ...attestationCases(digest, instance),
  ];
}

export const byKey = (key: TestKey): object => ({
  type: 'sigstoreSigned',
  keyData: data(key.pem),
  ...MATCH_DIGEST,
});

function keyedCases(digest: string): readonly BundleCase[] {
  const [alice, bob, rekor] = [makeKey(), makeKey(), makeLog('rekor.example')];
  const payload = statement(digest);
  const good = keyedBundle(alice, payload);
  const requirement = byKey(alice);
  const cosign = { by: { key: alice.pem }, predicateType: SIGN };
  const logged = { ...byKey(alice), rekorPublicKeyData: data(rekor.key.pem) };
  const kinds = (['rsa', 'ed25519', 'p384'] as const).map((kind) => ({ kind, key: makeKey(kind) }));
  return [
    { name: 'a bundle by the key', allowed: true, requirement, bundles: [good], cosign },
    ...kinds.map(({ kind, key }) => ({
      name: `a bundle by a key of the kind ${kind}`,
      allowed: true,
      requirement: byKey(key),
      bundles: [keyedBundle(key, payload)],
      cosign: { by: { key: key.pem }, predicateType: SIGN },
    })),
    {
      name: 'a bundle that gives no hint of its key',
      allowed: true,
      requirement,
      bundles: [keyedBundle(alice, payload, { hint: '' })],
    },
    {
      name: 'bad bundles before a good one',
      allowed: true,
      requirement,
      bundles: [keyedBundle(bob, payload), Buffer.from('{}'), good],
    },
    {
      name: 'a bundle by another key',
      allowed: false,
      because: /is none of the accepted ones, with the hint "/,
      requirement,
      bundles: [keyedBundle(bob, payload)],
      cosign,
    },
    {
      name: 'a22: a bundle by another key that says it is the one',
      allowed: false,
      because: /was made by none of the accepted keys/,
      requirement,
      bundles: [keyedBundle(bob, payload, { hint: hintOf(alice) })],
      cosign,
    },
    {
      name: 'a22: a bundle by the key that says it is another one',
      allowed: false,
      because: /is none of the accepted ones/,
      requirement,
      bundles: [keyedBundle(alice, payload, { hint: hintOf(bob) })],
    },
    {
      name: 'a02: a bundle for another image',
      allowed: false,
      because: /is for another manifest, sha256:1{64}/,
      requirement,
      bundles: [keyedBundle(alice, statement('1'.repeat(64)))],
      cosign,
    },
    {
      name: 'a bundle where the policy wants a name',
      allowed: false,
      because: /has none \(1 of another kind\)/,
      requirement: { type: 'sigstoreSigned', keyData: data(alice.pem) },
      bundles: [good],
    },
    {
      name: 'a logged bundle',
      allowed: true,
      requirement: logged,
      bundles: [keyedBundle(alice, payload, { log: rekor })],
    },
    {
      name: 'a bundle that no log has, where one is wanted',
      allowed: false,
      because: /is in no log/,
      requirement: logged,
      bundles: [good],
    },
    {
      name: 'a22: a bundle that another log has',
      allowed: false,
      because: /Rekor entry that does not hold: its checkpoint is not signed by the log/,
      requirement: logged,
      bundles: [keyedBundle(alice, payload, { log: makeLog('rekor.example') })],
    },
  ];
}

/** What the text of a bundle can be. */
function formCases(digest: string): readonly BundleCase[] {
  const key = makeKey();
  const requirement = byKey(key);
  const cosign = { by: { key: key.pem }, predicateType: SIGN };
  const payload = statement(digest);
  const changed = (change: (bundle: BundleJson) => object) => [
    keyedBundle(key, payload, { change }),
  ];
  const envelope = (change: (envelope: BundleJson['dsseEnvelope']) => object) =>
    changed((bundle) => ({ ...bundle, dsseEnvelope: change(bundle.dsseEnvelope) }));
  const refused = (
    name: string,
    because: RegExp,
    bundles: readonly Buffer[],
    oracle: object = {},
  ): BundleCase => ({ name, allowed: false, because, requirement, bundles, ...oracle });
  const said = (more: Parameters<typeof statement>[1], text?: (json: string) => string) => {
    const json = statement(digest, more).toString();
    return [keyedBundle(key, Buffer.from(text?.(json) ?? json))];
  };
  const good = keyedBundle(key, payload).toString();
  return [
    refused(
      'a22: an envelope with two signatures',
      /has 2 signatures, not one/,
      envelope(({ signatures, ...rest }) => ({
        ...rest,
        signatures: [...signatures, ...signatures],
      })),
      { cosign },
    ),
    refused(
      'a22: an envelope without a signature',
      /has 0 signatures, not one/,
      envelope((rest) => ({ ...rest, signatures: [] })),
      { cosign },
    ),
    refused(
      'a22: a payload that was changed',
      /was made by none of the accepted keys/,
      envelope((rest) => ({
        ...rest,
        payload: data(statement(digest, { predicate: { changed: true } })),
      })),
      { cosign },
    ),
    refused(
      'a22: a type of the payload that was changed',
      /was made by none of the accepted keys/,
      envelope((rest) => ({ ...rest, payloadType: 'application/json' })),
      { cosign },
    ),
    refused(
      'a22: base64 with something else in it',
      /is not base64/,
      envelope((rest) => ({ ...rest, payload: `${rest.payload.replace(/.=+$|.$/, '')}!` })),
      { cosign },
    ),
    refused(
      'a22: a bundle that signs a file',
      /it signs a file/,
      changed((bundle) => ({
        ...bundle,
        dsseEnvelope: undefined,
        messageSignature: {
          messageDigest: { algorithm: 'SHA2_256', digest: data(Buffer.alloc(32)) },
          signature: data('x'),
        },
      })),
    ),
    refused(
      'a bundle of an older version',
      /mediaType is not that of version 0\.3/,
      changed((bundle) => ({
        ...bundle,
        mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
      })),
    ),
    refused(
      'a bundle with an unknown member',
      /has the unknown key "more"/,
      changed((bundle) => ({ ...bundle, more: 1 })),
    ),
    refused('a33: a member given twice', /duplicate key "mediaType"/, [
      Buffer.from(good.replace('{"mediaType"', '{"mediaType":"x","mediaType"')),
    ]),
    refused('a22: a bundle that is no JSON', /cannot be read/, [Buffer.from('{')]),
    refused('a22: a bundle that is not UTF-8', /is not UTF-8/, [
      Buffer.concat([Buffer.from('{"\xff', 'latin1'), Buffer.from('":1}')]),
    ]),
    refused('a22: a bundle nested without end', /nested deeper than/, [
      Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    ]),
    refused(
      'a22: a bundle with a key and a certificate',
      /has both a key and a certificate/,
      changed((bundle) => ({
        ...bundle,
        verificationMaterial: {
          ...bundle.verificationMaterial,
          certificate: { rawBytes: data('x') },
        },
      })),
    ),
    refused(
      'a22: a bundle with neither',
      /has neither a key nor a certificate/,
      changed((bundle) => ({ ...bundle, verificationMaterial: {} })),
    ),
    refused(
      'a22: an attestation in the place of a signature',
      /has none \(1 of another kind\)/,
      said({ predicateType: PROVENANCE }),
    ),
    refused(
      'a22: a statement about several images',
      /is for 2 things, not for one/,
      said({ subject: [subjectOf(digest), subjectOf('1'.repeat(64))] }),
    ),
    refused('a statement about nothing', /is for 0 things/, said({ subject: [] })),
    refused(
      'a28: a subject whose digest is none',
      /malformed sha256/,
      said({ subject: [{ digest: { sha256: '../../x' } }] }),
    ),
    refused(
      'a subject that is named by another hash',
      /is for 1 things, not for one/,
      said({ subject: [{ digest: { sha512: '1'.repeat(128) } }] }),
    ),
    refused('a statement of an unknown type', /_type is unknown/, said({ _type: 'x' })),
    refused(
      'a33: a statement with two predicate types',
      /duplicate key "predicateType"/,
      said({}, (json) => json.replace('"predicateType"', '"predicateType":"x","predicateType"')),
    ),
    {
      name: 'a statement of the older version',
      allowed: true,
      requirement,
      bundles: said({ _type: 'https://in-toto.io/Statement/v0.1' }),
      cosign,
    },
  ];
}

/** A requirement that a workflow signed. */
export function byWorkflow(root: Buffer, more: object = {}): object {
  const keyless = { trustedRootData: data(root), issuer: OIDC_ISSUER, subjectURI: WORKFLOW };
  return { type: 'sigstoreSigned', keyless: { ...keyless, ...more }, ...MATCH_DIGEST };
}

interface Keyless {
  readonly requirement: object;
  readonly cosign: CosignQuestion;
  readonly refused: (
    name: string,
    because: RegExp,
    bundle: Buffer,
    more?: Partial<BundleCase>,
  ) => BundleCase;
  readonly admitted: (name: string, bundle: Buffer, more?: Partial<BundleCase>) => BundleCase;
}

function keylessKit(instance: SigstoreInstance): Keyless {
  const root = trustedRoot(instance);
  const requirement = byWorkflow(root);
  const cosign = {
    by: { root, issuer: OIDC_ISSUER, identity: WORKFLOW },
    predicateType: SIGN,
  };
  const common = { requirement, cosign };
  return {
    requirement,
    cosign,
    refused: (name, because, bundle, more) => {
      return { name, allowed: false, because, bundles: [bundle], ...common, ...more };
    },
    admitted: (name, bundle, more) => {
      return { name, allowed: true, bundles: [bundle], ...common, ...more };
    },
  };
}

function keylessCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const { refused, admitted } = keylessKit(instance);
  const payload = statement(digest);
  const root = trustedRoot(instance);
  const email = 'release@example.com';
  const wanting = (more: object) => ({ requirement: byWorkflow(root, more) });
  const without = (change: (root: TrustedRootJson) => object) => ({
    requirement: byWorkflow(trustedRoot(instance, change)),
  });
  const subject = (more: object) => wanting({ subjectURI: undefined, ...more });
  const leaf = (parts: LeafParts) =>
    keylessBundle(instance, { payload, leaf: makeLeaf(instance, parts) });
  const good = keylessBundle(instance, { payload });
  const pattern = 'https://github.com/org/app/.github/workflows/*@refs/heads/*';
  const extensions = leaf({
    extensions: [
      fulcioText(12, 'https://github.com/org/app'),
      fulcioText(14, 'refs/heads/main'),
      fulcioText(9, WORKFLOW),
    ],
  });
  return [
    admitted('keyless: a workflow, logged in the first Rekor', good),
    admitted(
      'keyless: a workflow, in the second Rekor, with a timestamp',
      secondBundle(instance, { payload }),
    ),
    admitted('keyless: an e-mail address', leaf({ names: { emails: [email] } }), {
      ...subject({ subjectEmail: email }),
      cosign: { by: { root, issuer: OIDC_ISSUER, identity: email }, predicateType: SIGN },
    }),
    admitted('keyless: a pattern of workflows', good, {
      ...subject({ subjectPattern: pattern }),
    }),
    admitted('keyless: a pattern of issuers', good, {
      ...wanting({ issuer: undefined, issuerPattern: 'https://*.actions.githubusercontent.com' }),
    }),
    admitted('keyless: what else the certificate must say', extensions, {
      ...wanting({
        sourceRepository: 'https://github.com/org/app',
        sourceRefPattern: 'refs/heads/*',
        buildSignerPattern: '**/release.yml@**',
      }),
    }),
    ...(
      [
        ['another workflow', { subjectURI: `${WORKFLOW}x` }, /names the subject \(a URI\) "/],
        ['a part of its name', { subjectURI: WORKFLOW.slice(0, -1) }, /not "/],
        [
          'a pattern that fits only a part',
          { subjectURI: undefined, subjectPattern: 'https://github.com/org/app/*' },
          /\(a pattern\)/,
        ],
        [
          'a pattern that a longer name begins with',
          { subjectURI: undefined, subjectPattern: '**/release.yml' },
          /\(a pattern\)/,
        ],
        [
          'a pattern with what means something elsewhere',
          { subjectURI: undefined, subjectPattern: 'https://github.com/org/.pp/**' },
          /\(a pattern\)/,
        ],
        [
          'an address instead of a workflow',
          { subjectURI: undefined, subjectEmail: WORKFLOW },
          /names the subject \(an e-mail address\) "/,
        ],
        ['another issuer', { issuer: `${OIDC_ISSUER}.evil` }, /names the OIDC issuer "/],
        [
          'a pattern that another issuer fits',
          { issuer: undefined, issuerPattern: 'https://*.example.com' },
          /names the OIDC issuer "/,
        ],
        [
          'what the certificate does not say',
          { sourceRepository: 'https://github.com/org/app' },
          /names no sourceRepository, not "/,
        ],
      ] as const
    ).map(([what, more, because]) =>
      refused(`keyless: ${what}`, because, good, { ...wanting(more) }),
    ),
    refused('keyless: another repository', /names the sourceRepository "/, extensions, {
      ...wanting({ sourceRepositoryPattern: 'https://github.com/other/*' }),
    }),
    refused(
      'keyless: another instance',
      /of a log that is not accepted/,
      keylessBundle(makeInstance(), { payload }),
    ),
    refused('keyless: a bundle by a key', /has no certificate/, keyedBundle(makeKey(), payload)),
    {
      name: 'a bundle by a certificate, where a key is wanted',
      allowed: false,
      because: /has a certificate, and the policy wants a key/,
      requirement: byKey(makeKey()),
      bundles: [good],
    },
    refused(
      'a02: keyless: a bundle for another image',
      /is for another manifest/,
      keylessBundle(instance, { payload: statement('1'.repeat(64)) }),
    ),
    admitted(
      'keyless: an instance without logs, as some firms have',
      keylessBundle(instance, {
        payload,
        leaf: makeLeaf(instance, { seenBy: undefined }),
        entries: () => [],
        timestamps: (stamped) => [makeTimestamp(instance, { stamped })],
      }),
      { ...without((whole) => ({ ...whole, tlogs: undefined, ctlogs: undefined })) },
    ),
  ];
}

function certificateCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const { refused } = keylessKit(instance);
  const payload = statement(digest);
  const leaf = (parts: LeafParts, more: Partial<KeylessParts> = {}) =>
    keylessBundle(instance, { payload, leaf: makeLeaf(instance, parts), ...more });
  const stranger = makeInstance();
  const soon = new Date(Date.now() + HOUR_MS);
  const late = new Date(Date.now() + HOUR_MS / 2);
  const client = makeLeaf(instance, { usage: extendedKeyUsage(CODE_SIGNING) });
  return [
    refused(
      'a22: a certificate that was expired when it was logged',
      /expired on .* before/,
      leaf({ notBefore: new Date(0), notAfter: new Date(Date.now() - HOUR_MS) }),
    ),
    refused(
      'a22: a certificate that was not valid yet',
      /is valid from .* after/,
      leaf({ notBefore: late, notAfter: soon }),
    ),
    refused(
      'a22: an authority that is not in the root',
      /comes from none of the accepted authorities/,
      leaf({ issuedBy: stranger.intermediate }),
    ),
    refused(
      'a22: a certificate issued by one that is no authority',
      /comes from none of the accepted authorities/,
      leaf({ issuedBy: client }),
    ),
    refused(
      'a22: a certificate that itself stands for its issuer',
      /comes from none of the accepted authorities/,
      (() => {
        const key = makeKey();
        const own = makeCertificate({ subject: 'sigstore intermediate', key, extensions: [] });
        return leaf({ issuedBy: own });
      })(),
    ),
    refused(
      'a22: a certificate for servers',
      /does not say that it is for code signing/,
      leaf({ usage: extendedKeyUsage(SERVER_AUTH) }),
    ),
    refused(
      'a22: a certificate for no use by name',
      /does not say that it is for code signing/,
      leaf({ usage: undefined }),
      { cosign: { ...keylessKit(instance).cosign, differs: 'Go takes it for every use' } },
    ),
    refused(
      'a22: two issuers in one certificate',
      /names two different OIDC issuers/,
      leaf({ issuerV1: 'https://other.example.com' }),
    ),
    refused(
      'a22: a certificate without an issuer',
      /names no OIDC issuer/,
      leaf({ issuer: undefined }),
    ),
    refused(
      'a22: a certificate for two workflows',
      /names 2 subjects, not one/,
      leaf({ names: { uris: [WORKFLOW, 'https://example.com/x'] } }),
    ),
    refused('a22: a certificate for nobody', /names 0 subjects, not one/, leaf({ names: {} })),
    refused(
      'a22: an extension given twice',
      /has the extension 1\.3\.6\.1\.4\.1\.57264\.1\.12 twice/,
      leaf({ extensions: [fulcioText(12, 'a'), fulcioText(12, 'b')] }),
    ),
    refused(
      'a22: a certificate that no certificate log has seen',
      /has no promise of a certificate log/,
      leaf({ seenBy: undefined }),
    ),
    refused(
      'a22: a certificate that another certificate log has seen',
      /has the promise of no accepted certificate log/,
      leaf({ seenBy: makeLog('ct.example') }),
    ),
    refused(
      'a22: a false promise in the name of the certificate log',
      /has a false promise of a certificate log/,
      leaf({ seenBy: { ...instance.certificateLog, key: makeKey() } }),
    ),
    refused(
      'a22: the promise that a log made about another certificate',
      /has a false promise of a certificate log/,
      leaf({ seenAs: { names: { uris: ['https://example.com/x'] } } }),
    ),
    refused(
      'a22: a signature that the certificate did not make',
      /has a key that did not make the signature/,
      leaf({}, { signedBy: makeKey() }),
    ),
    refused(
      'a22: a certificate that is none',
      /has a certificate that /,
      keylessBundle(instance, {
        payload,
        change: (bundle) => ({
          ...bundle,
          verificationMaterial: {
            ...bundle.verificationMaterial,
            certificate: { rawBytes: data('x') },
          },
        }),
      }),
    ),
  ];
}

function logCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const { refused, admitted } = keylessKit(instance);
  const payload = statement(digest);
  const other = statement('1'.repeat(64));
  const { rekor, rekor2 } = instance;
  type Signed = Parameters<NonNullable<KeylessParts['entries']>>[0];
  const logged = (
    entries: (signed: Signed) => readonly object[],
    more: Partial<KeylessParts> = {},
  ) => keylessBundle(instance, { payload, entries, ...more });
  const changed = (change: (entry: Record<string, unknown>) => object) =>
    logged((signed) => [firstEntry(instance, signed, { change })]);
  const proof = (change: (proof: Record<string, unknown>) => object) =>
    changed((entry) => ({
      ...entry,
      inclusionProof: change(entry['inclusionProof'] as Record<string, unknown>),
    }));
  const stamped = {
    timestamps: (signature: Buffer) => [makeTimestamp(instance, { stamped: signature })],
  };
  const hash = Buffer.alloc(32, 1).toString('base64');
  return [
    ...[0, 1, 2, 3, 7, 8, 20]
      .flatMap((others) =>
        [0, others].map((index) =>
          admitted(
            `an entry at ${index} of a tree of ${others + 1}`,
            logged((signed) => [firstEntry(instance, signed, { others, index })]),
          ),
        ),
      )
      .slice(1),
    admitted(
      'an entry of each Rekor',
      logged(
        (signed) => [
          firstEntry(instance, signed),
          secondEntry(rekor2, signed.payload, signed.signature, signed.leaf),
        ],
        stamped,
      ),
    ),
    refused(
      'a22: a bundle without an entry',
      /is in no log/,
      logged(() => [], stamped),
    ),
    refused(
      'a22: an entry that is there twice',
      /it is there twice/,
      logged((signed) => {
        const entry = firstEntry(instance, signed);
        return [entry, entry];
      }),
    ),
    refused(
      'a22: an entry that is there under two numbers',
      /it is there twice/,
      logged((signed) => [
        firstEntry(instance, signed),
        firstEntry(instance, signed, { others: 9, index: 7 }),
      ]),
    ),
    refused(
      'a22: an entry about another payload',
      /it is about another payload/,
      logged(({ signature, leaf }) => [firstEntry(instance, { payload: other, signature, leaf })]),
    ),
    refused(
      'a22: an entry about another signature',
      /it is about another signature/,
      logged(({ leaf }) => [
        firstEntry(instance, { payload, signature: Buffer.from('another'), leaf }),
      ]),
    ),
    refused(
      'a22: an entry about another key',
      /it is about another key/,
      logged(({ signature }) => [
        firstEntry(instance, { payload, signature, leaf: makeLeaf(instance) }),
      ]),
    ),
    refused(
      'a22: a whole entry of another signature',
      /it is about another key/,
      logged(() => [
        firstEntry(instance, {
          payload: other,
          signature: Buffer.from('x'),
          leaf: makeLeaf(instance),
        }),
      ]),
    ),
    refused(
      'a22: an entry of the second Rekor about another key',
      /it is about another key/,
      logged(
        ({ signature }) => [secondEntry(rekor2, payload, signature, makeLeaf(instance))],
        stamped,
      ),
    ),
    refused(
      'a22: an entry of the second Rekor about another payload',
      /it is about another payload/,
      logged(({ signature, leaf }) => [secondEntry(rekor2, other, signature, leaf)], stamped),
    ),
    refused(
      'a22: an entry that says it is of another kind',
      /and said to be a "hashedrekord/,
      changed((entry) => ({
        ...entry,
        kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
      })),
    ),
    refused(
      'an entry of a kind that says nothing',
      /says nothing of statements/,
      logged((signed) => [
        firstEntry(instance, signed, {
          body: { apiVersion: '0.0.1', kind: 'rekord', spec: {} },
          kind: 'rekord',
        }),
      ]),
    ),
    refused(
      'a22: an entry that was changed',
      /its proof does not lead to the tree/,
      changed((entry) => ({
        ...entry,
        canonicalizedBody: data(
          `${Buffer.from(String(entry['canonicalizedBody']), 'base64').toString()} `,
        ),
      })),
    ),
    refused(
      'a22: a promise of another log',
      /the log did not promise it/,
      logged((signed) => {
        const foreign = firstEntry({ ...instance, rekor: { ...rekor, key: makeKey() } }, signed);
        const own = firstEntry(instance, signed);
        return [
          { ...own, inclusionPromise: (foreign as Record<string, unknown>)['inclusionPromise'] },
        ];
      }),
    ),
    refused(
      'a22: a promise of another time',
      /the log did not promise it/,
      changed((entry) => ({
        ...entry,
        integratedTime: String(Number(entry['integratedTime']) - 60),
      })),
    ),
    refused(
      'a22: a time that nobody promised',
      /has no proved time/,
      logged((signed) => [
        firstEntry(instance, signed, {
          integratedAt: undefined,
          change: (entry) => ({ ...entry, integratedTime: String(Math.floor(Date.now() / 1000)) }),
        }),
      ]),
    ),
    refused(
      'a22: a promise without a proof',
      /has no inclusionProof/,
      changed((entry) => ({ ...entry, inclusionProof: undefined })),
    ),
    refused(
      'a22: a checkpoint of another log',
      /its checkpoint is not signed by the log/,
      logged((signed) => [
        firstEntry(instance, signed, { checkpointBy: makeLog('rekor.example') }),
      ]),
    ),
    refused(
      'a22: a checkpoint of another log of the same root',
      /its checkpoint is not signed by the log/,
      logged((signed) => [firstEntry(instance, signed, { checkpointBy: rekor2 })]),
    ),
    refused(
      'a22: a checkpoint of another tree',
      /are of two trees/,
      proof((of) => ({ ...of, treeSize: '6' })),
    ),
    refused(
      'a22: a proof of another root',
      /are of two trees/,
      proof((of) => ({ ...of, rootHash: hash })),
    ),
    refused(
      'a22: a proof that leads elsewhere',
      /does not lead to the tree/,
      proof((of) => ({
        ...of,
        hashes: (of['hashes'] as readonly string[]).map(() => hash),
      })),
    ),
    refused(
      'a22: a proof that is too short',
      /does not lead to the tree/,
      proof((of) => ({ ...of, hashes: [] })),
    ),
    refused(
      'a22: a proof that is too long',
      /does not lead to the tree/,
      proof((of) => ({
        ...of,
        hashes: [...(of['hashes'] as readonly string[]), hash],
      })),
    ),
    refused(
      'a22: a proof for another place',
      /does not lead to the tree/,
      proof((of) => ({ ...of, logIndex: '1' })),
    ),
    refused(
      'a22: a proof for a place outside the tree',
      /does not lead to the tree/,
      proof((of) => ({ ...of, logIndex: '5' })),
    ),
    refused(
      'a22: a checkpoint that is none',
      /its checkpoint cannot be read/,
      proof((of) => ({
        ...of,
        checkpoint: { envelope: 'x' },
      })),
    ),
    refused(
      'a22: entries without end',
      /has 33 entries, more than 32/,
      logged((signed) => Array.from({ length: 33 }, () => firstEntry(instance, signed))),
    ),
    refused(
      'a22: a log that was not in use',
      /is in a log that was not in use/,
      keylessBundle(instance, { payload }),
      {
        requirement: byWorkflow(
          trustedRoot(instance, ({ tlogs: [first, ...more], ...root }) => {
            const publicKey = (first as { publicKey: object }).publicKey;
            const validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
            return {
              ...root,
              tlogs: [{ ...first, publicKey: { ...publicKey, validFor } }, ...more],
            };
          }),
        ),
      },
    ),
  ];
}

function timestampCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const { refused, admitted } = keylessKit(instance);
  const payload = statement(digest);
  const stranger = makeInstance();
  const stamped = (
    stamps: (signature: Buffer) => readonly Buffer[],
    more: Partial<KeylessParts> = {},
  ) => secondBundle(instance, { payload, timestamps: stamps, ...more });
  const one = (parts: Partial<Parameters<typeof makeTimestamp>[1]>, by = instance) =>
    stamped((signature) => [makeTimestamp(by, { stamped: signature, ...parts })]);
  const servers = makeCertificate({
    subject: 'timestamp signer',
    key: instance.stamper.key,
    issuer: instance.stamperRoot,
    extensions: [extendedKeyUsage(SERVER_AUTH)],
  });
  const withStamper = (certificate: typeof servers) => ({
    requirement: byWorkflow(trustedRoot({ ...instance, stamper: certificate })),
  });
  return [
    admitted(
      'two times that agree',
      keylessBundle(instance, {
        payload,
        timestamps: (signature) => [makeTimestamp(instance, { stamped: signature })],
      }),
    ),
    refused(
      'a22: an entry of the second Rekor without a timestamp',
      /has no proved time/,
      stamped(() => []),
    ),
    refused(
      'a22: a timestamp of another signature',
      /a timestamp that is of another signature/,
      one({ stamped: Buffer.from('x') }),
    ),
    refused(
      'a22: a timestamp of an unknown authority',
      /comes from none of the accepted authorities/,
      one({}, stranger),
    ),
    refused(
      'a22: a timestamp that its authority did not sign',
      /its authority did not sign/,
      one({ signedBy: makeKey() }),
    ),
    refused(
      'a22: a timestamp that was changed',
      /was changed/,
      one({ contentHash: Buffer.alloc(32) }),
    ),
    refused('a22: a timestamp that was not granted', /was not granted/, one({ status: 2 })),
    refused(
      'a22: a timestamp of before the certificate',
      /is valid from .* after/,
      one({ at: new Date(Date.now() - HOUR_MS) }),
    ),
    refused(
      'a22: a timestamp of after the certificate',
      /expired on .* before/,
      one({ at: new Date(Date.now() + HOUR_MS) }),
    ),
    refused(
      'a22: a good time beside a time when the certificate was expired',
      /expired on/,
      keylessBundle(instance, {
        payload,
        timestamps: (signature) => [
          makeTimestamp(instance, { stamped: signature, at: new Date(Date.now() + HOUR_MS) }),
        ],
      }),
    ),
    refused(
      'a22: a timestamp that is none',
      /has a timestamp that /,
      stamped(() => [Buffer.from('x')]),
    ),
    refused(
      'a22: a timestamp by a certificate for servers',
      /signed with a certificate for something else/,
      secondBundle(instance, {
        payload,
        timestamps: (signature) => [
          makeTimestamp(instance, { stamped: signature, signer: servers }),
        ],
      }),
      withStamper(servers),
    ),
    refused(
      'a22: timestamps without end',
      /has 33 entries, more than 32/,
      stamped((signature) => {
        const stamp = makeTimestamp(instance, { stamped: signature });
        return Array.from({ length: 33 }, () => stamp);
      }),
    ),
  ];
}

function attestationCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const key = makeKey();
  const signer = { keyData: data(key.pem) };
  const builder = 'https://github.com/org/builder/.github/workflows/build.yml@refs/tags/v1';
  const predicate = {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: {
        workflow: { repository: 'https://github.com/org/app', ref: 'refs/heads/main' },
      },
    },
    runDetails: { builder: { id: builder } },
  };
  const older = {
    builder: { id: builder },
    buildType: 'x',
    invocation: { configSource: { uri: 'git+https://github.com/org/app@refs/heads/main' } },
  };
  const v02 = 'https://slsa.dev/provenance/v0.2';
  const attest = (more: Parameters<typeof statement>[1], by = key) =>
    keyedBundle(by, statement(digest, { predicateType: PROVENANCE, predicate, ...more }));
  const wants = (more: object = {}) => ({
    requirement: { type: 'attested', predicateType: 'slsaprovenance1', signer, ...more },
  });
  const cosign = { by: { key: key.pem }, predicateType: PROVENANCE };
  const admitted = (name: string, bundle: Buffer, more: object = {}): BundleCase => {
    return { name: `attested: ${name}`, allowed: true, bundles: [bundle], ...wants(), ...more };
  };
  const refused = (
    name: string,
    because: RegExp,
    bundle: Buffer,
    more: object = {},
  ): BundleCase => {
    const bundles = [bundle];
    return { name: `attested: ${name}`, allowed: false, because, bundles, ...wants(), ...more };
  };
  const good = attest({});
  const sbom = attest({ predicateType: 'https://spdx.dev/Document/v2.3', predicate: {} });
  const root = trustedRoot(instance);
  const keyless = {
    trustedRootData: data(root),
    issuer: OIDC_ISSUER,
    subjectPattern: 'https://github.com/org/**',
  };
  const source = 'https://github.com/org/app';
  return [
    admitted('provenance', good, { cosign }),
    admitted('its builder and source', good, wants({ builder, source })),
    admitted(
      'patterns of them',
      good,
      wants({
        builderPattern: 'https://github.com/org/builder/**@refs/tags/v*',
        sourcePattern: 'https://github.com/org/*',
      }),
    ),
    admitted(
      'provenance of the older version',
      attest({ predicateType: v02, predicate: older }),
      wants({
        predicateType: 'slsaprovenance',
        builder,
        source,
      }),
    ),
    admitted(
      'one of several things that were built',
      attest({
        subject: [subjectOf('1'.repeat(64)), subjectOf(digest)],
      }),
    ),
    admitted('a bill of materials', sbom, wants({ predicateType: 'spdx' })),
    admitted('a type by its URI', sbom, wants({ predicateType: 'https://spdx.dev/Document/v2.3' })),
    admitted(
      'by a workflow',
      keylessBundle(instance, {
        payload: statement(digest, { predicateType: PROVENANCE, predicate }),
      }),
      wants({ signer: { keyless } }),
    ),
    refused('another builder', /names the builder "/, good, wants({ builder: `${builder}x` })),
    refused(
      'another source',
      /names the source "/,
      good,
      wants({ source: 'https://github.com/org/ap' }),
    ),
    refused(
      'a source that a pattern fits only in part',
      /names the source "/,
      good,
      wants({ sourcePattern: 'https://github.com/*' }),
    ),
    refused('no builder', /names no builder/, attest({ predicate: {} }), wants({ builder })),
    refused(
      'a builder that is no text',
      /names no builder/,
      attest({ predicate: { runDetails: { builder: { id: [builder] } } } }),
      wants({ builder }),
    ),
    refused(
      'a22: two sources',
      /names two different sources/,
      attest({
        predicate: {
          buildDefinition: {
            externalParameters: {
              workflow: { repository: source },
              source: { uri: 'git+https://github.com/evil/app' },
            },
          },
        },
      }),
      wants({ source }),
    ),
    refused(
      'a22: provenance of the older form under the newer type',
      /names no builder/,
      attest({ predicate: older }),
      wants({ builder }),
    ),
    refused(
      'a22: a signature in the place of an attestation',
      /has none \(1 of another kind\)/,
      keyedBundle(key, statement(digest)),
    ),
    refused('another type', /has none \(1 of another kind\)/, sbom),
    refused('another signer', /is none of the accepted ones/, attest({}, makeKey()), { cosign }),
    refused(
      'a02: another image',
      /is for another manifest/,
      attest({ subject: [subjectOf('1'.repeat(64))] }),
      { cosign },
    ),
    refused(
      'a22: a payload that was changed',
      /was made by none of the accepted keys/,
      keyedBundle(key, statement(digest, { predicateType: PROVENANCE }), {
        change: (bundle) => ({
          ...bundle,
          dsseEnvelope: {
            ...bundle.dsseEnvelope,
            payload: data(statement(digest, { predicateType: PROVENANCE, predicate })),
          },
        }),
      }),
      { cosign },
    ),
    refused(
      'by a workflow of somebody else',
      /names the subject "/,
      keylessBundle(instance, {
        payload: statement(digest, { predicateType: PROVENANCE, predicate }),
        leaf: makeLeaf(instance, {
          names: { uris: ['https://github.com/other/x@refs/heads/main'] },
        }),
      }),
      wants({ signer: { keyless } }),
    ),
  ];
}
