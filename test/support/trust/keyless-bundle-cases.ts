// SPDX-License-Identifier: Apache-2.0
// Bundles by certificates: whom they name, and who vouches for that.
import { type BundleCase, byKey, data, HOUR_MS, MATCH_DIGEST, SIGN } from './bundle-case.ts';
import {
  CODE_SIGNING,
  extendedKeyUsage,
  makeCertificate,
  makeKey,
  SERVER_AUTH,
} from './der-certificate.ts';
import {
  keyedBundle,
  keylessBundle,
  type KeylessParts,
  secondBundle,
  statement,
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
  WORKFLOW,
} from './sigstore-instance.ts';

/** A requirement that a workflow signed. */
export function byWorkflow(root: Buffer, more: object = {}): object {
  const keyless = { trustedRootData: data(root), issuer: OIDC_ISSUER, subjectURI: WORKFLOW };
  return { type: 'sigstoreSigned', keyless: { ...keyless, ...more }, ...MATCH_DIGEST };
}

interface KeylessQuestion {
  /** Whom the policy wants instead; cosign is then asked only where `identity` says for whom. */
  readonly who?: object;
  readonly identity?: string;
  readonly root?: Buffer;
  readonly isStamped?: boolean;
  readonly differs?: string;
  /** False where cosign has no such question. */
  readonly asksCosign?: boolean;
}

interface KeylessKit {
  readonly admitted: (name: string, bundle: Buffer, asked?: KeylessQuestion) => BundleCase;
  readonly refused: (
    name: string,
    because: RegExp,
    bundle: Buffer,
    asked?: KeylessQuestion,
  ) => BundleCase;
}

export function keylessKit(instance: SigstoreInstance): KeylessKit {
  const usual = trustedRoot(instance);
  const common = (bundle: Buffer, asked: KeylessQuestion = {}) => {
    const { who, root = usual, identity, asksCosign = who === undefined } = asked;
    const { isStamped = false, differs } = asked;
    const by = { root, issuer: OIDC_ISSUER, identity: identity ?? WORKFLOW };
    const cosign = {
      by,
      predicateType: SIGN,
      isStamped,
      ...(differs === undefined ? {} : { differs }),
    };
    return {
      requirement: byWorkflow(root, who),
      bundles: [bundle],
      ...(asksCosign || identity !== undefined ? { cosign } : {}),
    };
  };
  return {
    admitted: (name, bundle, asked) => ({ name, allowed: true, ...common(bundle, asked) }),
    refused: (name, because, bundle, asked) => {
      return { name, allowed: false, because, ...common(bundle, asked) };
    },
  };
}

export function keylessCases(digest: string, instance: SigstoreInstance): readonly BundleCase[] {
  const { refused, admitted } = keylessKit(instance);
  const payload = statement(digest);
  const email = 'release@example.com';
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
      { isStamped: true },
    ),
    admitted('keyless: an e-mail address', leaf({ names: { emails: [email] } }), {
      who: { subjectURI: undefined, subjectEmail: email },
      identity: email,
    }),
    admitted('keyless: a pattern of workflows', good, {
      who: { subjectURI: undefined, subjectPattern: pattern },
    }),
    admitted('keyless: a pattern of issuers', good, {
      who: { issuer: undefined, issuerPattern: 'https://*.actions.githubusercontent.com' },
    }),
    admitted('keyless: what else the certificate must say', extensions, {
      who: {
        sourceRepository: 'https://github.com/org/app',
        sourceRefPattern: 'refs/heads/*',
        buildSignerPattern: '**/release.yml@**',
      },
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
    ).map(([what, who, because]) => refused(`keyless: ${what}`, because, good, { who })),
    refused('keyless: another repository', /names the sourceRepository "/, extensions, {
      who: { sourceRepositoryPattern: 'https://github.com/other/*' },
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
      {
        root: trustedRoot(instance, (root) => ({ ...root, tlogs: undefined, ctlogs: undefined })),
        asksCosign: false,
      },
    ),
  ];
}

export function certificateCases(
  digest: string,
  instance: SigstoreInstance,
): readonly BundleCase[] {
  const { refused } = keylessKit(instance);
  const payload = statement(digest);
  const leaf = (parts: LeafParts, more: Partial<KeylessParts> = {}) =>
    keylessBundle(instance, { payload, leaf: makeLeaf(instance, parts), ...more });
  const stranger = makeInstance();
  const soon = new Date(Date.now() + HOUR_MS);
  const late = new Date(Date.now() + HOUR_MS / 2);
  const client = makeLeaf(instance, { usage: extendedKeyUsage(CODE_SIGNING) });
  const mallory = makeLeaf(instance, { names: { uris: ['https://example.com/mallory'] } });
  return [
    refused(
      'a22: a forged certificate with a real one hidden in it',
      /has a certificate that is read as another one/,
      leaf({
        key: mallory.key,
        issuedBy: { ...instance.intermediate, key: mallory.key },
        extensions: [{ oid: '1.2.3.4', value: Buffer.from(`\n${mallory.pem}`) }],
        seenBy: undefined,
      }),
      {
        root: trustedRoot(instance, (root) => ({ ...root, ctlogs: undefined })),
        asksCosign: false,
      },
    ),
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
      { differs: 'Go takes it for every use' },
    ),
    refused(
      'a22: two issuers in one certificate',
      /names two different OIDC issuers/,
      leaf({ issuerV1: 'https://other.example.com' }),
      { differs: 'it reads the newer extension alone' },
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
      { differs: 'it takes any one of them' },
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
