// SPDX-License-Identifier: Apache-2.0
// What `sigstoreSigned` makes of signatures, good and forged; the same cases for us and for skopeo.
import {
  alternativeNames,
  ANY_USAGE,
  basicConstraints,
  CODE_SIGNING,
  type CertificateSpec,
  type Extension,
  extendedKeyUsage,
  issuerV1,
  issuerV2,
  keyUsage,
  makeCertificate,
  makeKey,
  type Names,
  pointOfP256,
  SERVER_AUTH,
  sequence,
  signBytes,
  type TestCertificate,
  type TestKey,
  tlv,
} from './der-certificate.ts';
import {
  cosignPayload,
  logEntry,
  type SignatureParts,
  sigstoreBlob,
} from './sigstore-signatures.ts';

export const REFERENCE = 'registry.example/coreos/etcd:3.4';

export interface SigstoreCase {
  readonly name: string;
  readonly allowed: boolean;
  /** In our reasons, where it is refused. */
  readonly because?: RegExp;
  /** Why skopeo thinks otherwise. */
  readonly skopeoDiffers?: string;
  /** Of `sigstoreSigned`, but for its type and its signedIdentity. */
  readonly requirement: object;
  readonly signedIdentity?: object;
  readonly blobs: readonly Buffer[];
}

const HOUR_MS = 3_600_000;
const EMAIL = 'release@example.com';
const ISSUER = 'https://accounts.example.com';
const ANNOTATION = {
  signature: 'dev.cosignproject.cosign/signature',
  rekor: 'dev.sigstore.cosign/bundle',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
};

const data = (...texts: readonly string[]) => texts.map((t) => Buffer.from(t).toString('base64'));
const keyData = (key: TestKey) => ({ keyData: data(key.pem)[0] });
const rekorData = (key: TestKey) => ({ rekorPublicKeyData: data(key.pem)[0] });

/** All cases, for a manifest with this digest. */
export function sigstoreCases(digest: string): readonly SigstoreCase[] {
  const payload = cosignPayload(REFERENCE, digest);
  return [...keyCases(payload, digest), ...logCases(payload), ...certificateCases(payload)];
}

function keyCases(payload: Buffer, digest: string): readonly SigstoreCase[] {
  const [alice, bob, rsa, edward, p384, weak] = [
    makeKey(),
    makeKey(),
    makeKey('rsa'),
    makeKey('ed25519'),
    makeKey('p384'),
    makeKey('rsa1024'),
  ];
  const good = sigstoreBlob({ payload, key: alice });
  const requirement = keyData(alice);
  const with_ = (parts: Partial<SignatureParts>) => [
    sigstoreBlob({ payload, key: alice, ...parts }),
  ];
  const signature = signBytes(alice, payload);
  const base64 = signature.toString('base64');
  const annotated = (value: string | undefined) =>
    with_({ annotations: { [ANNOTATION.signature]: value } });
  const said = (text: string) => with_({ payload: Buffer.from(text) });
  return [
    { name: 'an ECDSA signature', allowed: true, requirement, blobs: [good] },
    ...([rsa, edward, p384] as const).map((key, n) => ({
      name: `a signature by ${['RSA', 'Ed25519', 'P-384'][n]}`,
      allowed: true,
      requirement: keyData(key),
      blobs: with_({ key }),
    })),
    {
      name: 'the second of several keys',
      allowed: true,
      requirement: { keyDatas: data(bob.pem, alice.pem) },
      blobs: [good],
    },
    {
      name: 'bad signatures before a good one',
      allowed: true,
      requirement,
      blobs: [sigstoreBlob({ payload, key: bob }), good],
    },
    {
      name: 'a signature that a line break splits',
      allowed: true,
      requirement,
      blobs: annotated(`${base64.slice(0, 20)}\n${base64.slice(20)}`),
    },
    {
      name: 'a payload with optional members',
      allowed: true,
      requirement,
      blobs: with_({
        payload: cosignPayload(REFERENCE, digest, {
          optional: { creator: 'x', timestamp: 1_700_000_000, more: [1] },
        }),
      }),
    },
    {
      name: 'a repository without a tag, as cosign signs, for exactRepository',
      allowed: true,
      requirement,
      signedIdentity: {
        type: 'exactRepository',
        dockerRepository: 'registry.example/coreos/etcd',
      },
      blobs: with_({ payload: cosignPayload('registry.example/coreos/etcd', digest) }),
    },
    {
      name: 'a repository without a tag, for an exact reference',
      allowed: false,
      because: /is good, but for "registry\.example\/coreos\/etcd"/,
      requirement,
      blobs: with_({ payload: cosignPayload('registry.example/coreos/etcd', digest) }),
    },
    {
      name: 'no signature',
      allowed: false,
      because: /requires a sigstore signature .* has none.*accepted signers: sha256:/s,
      requirement,
      blobs: [],
    },
    {
      name: 'a signature by another key',
      allowed: false,
      because: /was made by none of the accepted keys/,
      requirement,
      blobs: with_({ key: bob }),
    },
    {
      name: 'a signature over another payload',
      allowed: false,
      because: /was made by none of the accepted keys/,
      requirement,
      blobs: annotated(signBytes(alice, Buffer.from('other')).toString('base64')),
    },
    {
      name: 'a signature for another manifest',
      allowed: false,
      because: /is for another manifest/,
      requirement,
      blobs: with_({ payload: cosignPayload(REFERENCE, `sha256:${'1'.repeat(64)}`) }),
    },
    {
      name: 'a signature for another tag',
      allowed: false,
      because: /is good, but for "registry\.example\/coreos\/etcd:3\.5"/,
      requirement,
      blobs: with_({ payload: cosignPayload('registry.example/coreos/etcd:3.5', digest) }),
    },
    {
      name: 'no signature annotation',
      allowed: false,
      because: /has no annotation dev\.cosignproject/,
      requirement,
      blobs: annotated(undefined),
    },
    {
      name: 'an empty signature annotation',
      allowed: false,
      because: /which is not base64/,
      requirement,
      blobs: annotated(''),
    },
    {
      name: 'a22: base64 with characters that decoders skip',
      allowed: false,
      because: /which is not base64/,
      requirement,
      blobs: annotated(`${base64.slice(0, 8)} ${base64.slice(8)}`),
    },
    {
      name: 'a22: base64 without its padding',
      allowed: false,
      because: /which is not base64/,
      requirement: keyData(rsa),
      blobs: [
        sigstoreBlob({
          payload,
          key: rsa,
          annotations: {
            [ANNOTATION.signature]: signBytes(rsa, payload).toString('base64').replaceAll('=', ''),
          },
        }),
      ],
    },
    {
      name: 'a22: base64 with other unused bits',
      allowed: false,
      because: /which is not base64/,
      skopeoDiffers: 'Go ignores the unused bits of the last character',
      requirement: keyData(rsa),
      blobs: [
        sigstoreBlob({
          payload,
          key: rsa,
          annotations: {
            [ANNOTATION.signature]: otherUnusedBits(signBytes(rsa, payload).toString('base64')),
          },
        }),
      ],
    },
    {
      name: 'a22: bytes behind the signature',
      allowed: false,
      because: /none of the accepted keys/,
      requirement,
      blobs: annotated(Buffer.concat([signature, Buffer.from([0])]).toString('base64')),
    },
    {
      name: 'a22: an attestation of the same key instead of a signature',
      allowed: false,
      because: /has none \(1 of another kind\)/,
      requirement,
      blobs: with_({ mimeType: 'application/vnd.dsse.envelope.v1+json' }),
    },
    {
      name: 'a22: the text of a GPG signature, signed by the key',
      allowed: false,
      because: /critical\.type is not "cosign container image signature"/,
      requirement,
      blobs: said(payload.toString().replace('cosign container image', 'atomic container')),
    },
    {
      name: 'a22: a statement of in-toto, signed by the key',
      allowed: false,
      because: /no simple signature/,
      requirement,
      blobs: said('{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicate":{}}'),
    },
    {
      name: 'a33: a payload that says its digest twice',
      allowed: false,
      because: /duplicate key/,
      requirement,
      blobs: said(
        payload
          .toString()
          .replace('"image":{', `"image":{"docker-manifest-digest":"sha256:${'1'.repeat(64)}",`),
      ),
    },
    {
      name: 'a GPG signature beside',
      allowed: false,
      because: /has none \(1 of another kind\)/,
      requirement,
      blobs: [Buffer.from('\0simple-signing\nx')],
    },
    {
      name: 'a key file without a key',
      allowed: false,
      because: /holds no public key in PEM/,
      requirement: { keyData: data('nothing')[0] },
      blobs: [good],
    },
    {
      name: 'a key file that does not parse, beside one that would do',
      allowed: false,
      because: /holds no public key in PEM/,
      requirement: { keyDatas: data(alice.pem, 'nothing') },
      blobs: [good],
    },
    {
      name: 'a key file with two keys',
      allowed: false,
      because: /holds 2 PEM blocks/,
      skopeoDiffers: 'it silently takes the first',
      requirement: { keyData: data(alice.pem + bob.pem)[0] },
      blobs: [good],
    },
    {
      name: 'a key of 1024 bits',
      allowed: false,
      because: /RSA of 1024 bits, fewer than 2048/,
      skopeoDiffers: 'Go of Debian trixie still takes it',
      requirement: keyData(weak),
      blobs: with_({ key: weak }),
    },
  ];
}

function logCases(payload: Buffer): readonly SigstoreCase[] {
  // RSA: the same signature each time, so that an entry can be right but for one thing.
  const [alice, bob, rekor, rekor2, edward] = [
    makeKey('rsa'),
    makeKey('rsa'),
    makeKey(),
    makeKey(),
    makeKey('ed25519'),
  ];
  const requirement = { ...keyData(alice), ...rekorData(rekor) };
  const signature = signBytes(alice, payload);
  const mine = { rekor, signer: alice.pem, signature, payload };
  const logged = (text: string | undefined) => [
    sigstoreBlob({ payload, key: alice, annotations: { [ANNOTATION.rekor]: text } }),
  ];
  const good = sigstoreBlob({ payload, key: alice, rekor });
  const other = signBytes(bob, payload);
  const inBody =
    (change: (spec: Record<string, never>) => void) => (body: Record<string, unknown>) => {
      change(body['spec'] as Record<string, never>);
      return body;
    };
  const promised = (change: (payload: Record<string, unknown>) => void) =>
    logEntry({
      ...mine,
      promise: (bundle) => {
        change(bundle['Payload'] as Record<string, unknown>);
        return bundle;
      },
    });
  return [
    { name: 'a logged signature', allowed: true, requirement, blobs: [good] },
    {
      name: 'the second of several logs',
      allowed: true,
      requirement: { ...keyData(alice), rekorPublicKeyDatas: data(rekor2.pem, rekor.pem) },
      blobs: [good],
    },
    {
      name: 'a logged signature of the second of several keys',
      allowed: true,
      requirement: { keyDatas: data(bob.pem, alice.pem), ...rekorData(rekor) },
      blobs: [good],
    },
    {
      name: 'a log entry where none is asked for',
      allowed: true,
      requirement: keyData(alice),
      blobs: [good],
    },
    {
      name: 'a signature without a log entry',
      allowed: false,
      because: /has no annotation dev\.sigstore\.cosign\/bundle/,
      requirement,
      blobs: logged(undefined),
    },
    {
      name: 'an entry of another log',
      allowed: false,
      because: /none of the accepted Rekor keys signed it/,
      requirement,
      blobs: logged(logEntry({ ...mine, rekor: rekor2 })),
    },
    {
      name: 'a22: the entry of another signature (CVE-2022-23649)',
      allowed: false,
      because: /it is about another signature/,
      requirement,
      blobs: logged(logEntry({ ...mine, signature: other })),
    },
    {
      name: 'a22: the entry of another payload (CVE-2026-22703)',
      allowed: false,
      because: /it is about another payload/,
      requirement,
      blobs: logged(logEntry({ ...mine, payload: Buffer.from('other') })),
    },
    {
      name: 'a22: the entry of another key (CVE-2022-36056)',
      allowed: false,
      because: /was logged in Rekor for none of the accepted keys/,
      requirement,
      blobs: logged(logEntry({ ...mine, signer: bob.pem })),
    },
    {
      name: 'a22: the entry of another accepted key',
      allowed: false,
      because: /none of the accepted keys/,
      requirement: { keyDatas: data(alice.pem, bob.pem), ...rekorData(rekor) },
      blobs: logged(logEntry({ ...mine, signer: bob.pem })),
    },
    {
      name: 'a22: a time that was changed after the log signed it',
      allowed: false,
      because: /none of the accepted Rekor keys signed it/,
      requirement,
      blobs: logged(promised((p) => (p['integratedTime'] = Number(p['integratedTime']) - 1))),
    },
    {
      name: 'a22: an entry that says its time twice',
      allowed: false,
      because: /duplicate key/,
      requirement,
      blobs: logged(logEntry(mine).replace('"logIndex"', '"integratedTime":1,"logIndex"')),
    },
    {
      name: 'an entry of a time that no clock shows',
      allowed: false,
      because: /it says no time/,
      skopeoDiffers: 'it does not look at the time where no certificate does',
      requirement,
      blobs: logged(logEntry({ ...mine, integratedSeconds: 9e15 })),
    },
    {
      name: 'an unknown member of the promise',
      allowed: false,
      because: /unknown key "more"/,
      requirement,
      blobs: logged(promised((p) => (p['more'] = 1))),
    },
    {
      name: 'an entry of another kind',
      allowed: false,
      because: /not a hashedrekord 0\.0\.1/,
      requirement,
      blobs: logged(logEntry({ ...mine, body: (body) => ({ ...body, kind: 'rekord' }) })),
    },
    {
      name: 'an entry of another version',
      allowed: false,
      because: /not a hashedrekord 0\.0\.1/,
      requirement,
      blobs: logged(logEntry({ ...mine, body: (body) => ({ ...body, apiVersion: '0.0.2' }) })),
    },
    {
      name: 'an entry with another hash',
      allowed: false,
      because: /spec\.data\.hash is not a sha256/,
      requirement,
      blobs: logged(
        logEntry({
          ...mine,
          body: inBody((spec) => Object.assign(spec['data']!['hash'], { algorithm: 'sha1' })),
        }),
      ),
    },
    {
      name: 'a22: an entry whose key has bytes behind it',
      allowed: false,
      because: /its public key is not one PEM block/,
      requirement,
      blobs: logged(logEntry({ ...mine, signer: `${alice.pem}x` })),
    },
    {
      name: 'an entry that is no JSON',
      allowed: false,
      because: /Rekor entry that does not hold/,
      requirement,
      blobs: logged('x'),
    },
    {
      name: 'a key for Rekor that is not ECDSA',
      allowed: false,
      because: /key for Rekor that is Ed25519; Rekor's are ECDSA/,
      requirement: { ...keyData(alice), ...rekorData(edward) },
      blobs: [sigstoreBlob({ payload, key: alice, rekor: edward })],
    },
  ];
}

const AUTHORITY = [basicConstraints(true), keyUsage(0x04)];

function certificateCases(payload: Buffer): readonly SigstoreCase[] {
  const authority = (subject: string, more: Partial<CertificateSpec> = {}) =>
    makeCertificate({ subject, key: makeKey(), extensions: AUTHORITY, ...more });
  const root = authority('root');
  const intermediate = authority('intermediate', { issuer: root });
  const stranger = authority('root');
  const rekor = makeKey();
  const fulcioLeaf = (extensions: readonly Extension[], more: Partial<CertificateSpec> = {}) =>
    makeCertificate({
      subject: '',
      key: makeKey(),
      issuer: intermediate,
      extensions: [keyUsage(0x80), ...extensions],
      ...more,
    });
  const usual = (names: Names = { emails: [EMAIL] }): readonly Extension[] => [
    extendedKeyUsage(CODE_SIGNING),
    alternativeNames(names),
    issuerV1(ISSUER),
    issuerV2(ISSUER),
  ];
  const without = (oid: string) => usual().filter((extension) => extension.oid !== oid);
  const fulcio = {
    fulcio: { caData: data(root.pem)[0], oidcIssuer: ISSUER, subjectEmail: EMAIL },
    ...rekorData(rekor),
  };
  const pkiFor = (subject: object) => ({ pki: { caRootsData: data(root.pem)[0], ...subject } });
  const pki = pkiFor({ subjectEmail: EMAIL });
  const chain = [intermediate, root];
  const blobOf = (leaf: TestCertificate, more: Partial<SignatureParts> = {}): readonly Buffer[] => [
    sigstoreBlob({ payload, key: leaf.key, certificate: leaf, chain, rekor, ...more }),
  ];
  const leaf = fulcioLeaf(usual());
  const old = fulcioLeaf(usual(), {
    notBefore: new Date(Date.now() - 40 * HOUR_MS),
    notAfter: new Date(Date.now() - 39 * HOUR_MS),
  });
  const oldTime = new Date(Date.now() - 39.5 * HOUR_MS);
  const oldRoot = authority('root', { notBefore: new Date(Date.now() - 50 * HOUR_MS) });
  const oldIntermediate = authority('intermediate', {
    issuer: oldRoot,
    notBefore: new Date(Date.now() - 50 * HOUR_MS),
  });
  const oldLeaf = (more: Partial<CertificateSpec> = {}) =>
    fulcioLeaf(usual(), {
      issuer: oldIntermediate,
      notBefore: new Date(Date.now() - 40 * HOUR_MS),
      notAfter: new Date(Date.now() - 39 * HOUR_MS),
      ...more,
    });
  const oldFulcio = {
    fulcio: { caData: data(oldRoot.pem)[0], oidcIssuer: ISSUER, subjectEmail: EMAIL },
    ...rekorData(rekor),
  };
  const oldChain = [oldIntermediate, oldRoot];
  const constrained = authority('short', {
    issuer: root,
    extensions: [basicConstraints(true, 0), keyUsage(0x04)],
  });
  const below = authority('below', { issuer: constrained });
  const client = makeCertificate({
    subject: 'client',
    key: makeKey(),
    issuer: root,
    extensions: usual(),
  });
  const servers = authority('servers', {
    issuer: root,
    extensions: [...AUTHORITY, extendedKeyUsage(SERVER_AUTH)],
  });
  const named = authority('named', {
    issuer: root,
    extensions: [
      ...AUTHORITY,
      {
        oid: '2.5.29.30',
        critical: true,
        // permittedSubtrees: mail of example.com
        value: sequence(tlv(0xa0, sequence(tlv(0x81, Buffer.from('example.com'))))),
      },
    ],
  });
  const noSigner = authority('no signer', {
    issuer: root,
    extensions: [basicConstraints(true), keyUsage(0x80)],
  });
  const rooted = (issuer: TestCertificate, more: Partial<CertificateSpec> = {}) =>
    fulcioLeaf(usual(), { issuer, ...more });
  const pkiBlob = (leaf: TestCertificate, links: readonly TestCertificate[] = chain) => [
    sigstoreBlob({ payload, key: leaf.key, certificate: leaf, chain: links }),
  ];
  const host = (names: Names) =>
    fulcioLeaf([extendedKeyUsage(CODE_SIGNING), alternativeNames(names)]);
  const forHost = (subjectHostname: string) => pkiFor({ subjectHostname });
  const mallory = fulcioLeaf([
    extendedKeyUsage(CODE_SIGNING),
    alternativeNames({ emails: ['mallory@example.com'] }),
    issuerV1(ISSUER),
    issuerV2(ISSUER),
  ]);
  // Says what the policy wants, and holds what the authority signed, for those who look for PEM first.
  const disguised = fulcioLeaf(
    [...usual(), { oid: '1.2.3.4', value: Buffer.from(`\n${mallory.pem}`) }],
    { key: mallory.key, signedBy: mallory.key },
  );
  const pointless = fulcioLeaf(usual(), { spki: pointOfP256(Buffer.from([0])) });
  return [
    { name: 'fulcio: a good signature', allowed: true, requirement: fulcio, blobs: blobOf(leaf) },
    {
      name: 'fulcio: a certificate that has expired since it was logged',
      allowed: true,
      requirement: oldFulcio,
      blobs: blobOf(oldLeaf(), { chain: oldChain, integratedAt: oldTime }),
    },
    {
      name: 'fulcio: an issuer in the first form only',
      allowed: true,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(without('1.3.6.1.4.1.57264.1.8'))),
    },
    {
      name: 'fulcio: an issuer in the second form only',
      allowed: true,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(without('1.3.6.1.4.1.57264.1.1'))),
    },
    {
      name: 'fulcio: one of several addresses',
      allowed: true,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(usual({ emails: ['x@example.com', EMAIL] }))),
    },
    {
      name: 'fulcio: a certificate by the root itself, without a chain',
      allowed: true,
      requirement: fulcio,
      blobs: blobOf(rooted(root), { chain: [], annotations: { [ANNOTATION.chain]: undefined } }),
    },
    {
      name: 'a22: fulcio: a certificate that had expired when it was logged',
      allowed: false,
      because: /certificate that expired on/,
      requirement: oldFulcio,
      blobs: blobOf(oldLeaf(), { chain: oldChain }),
    },
    {
      name: 'a22: fulcio: a certificate that was not yet valid when it was logged',
      allowed: false,
      because: /certificate that is valid from/,
      requirement: fulcio,
      blobs: blobOf(leaf, { integratedAt: oldTime }),
    },
    {
      name: 'fulcio: an authority that was not yet valid then',
      allowed: false,
      because: /is valid from/,
      requirement: fulcio,
      blobs: blobOf(old, { integratedAt: oldTime }),
    },
    {
      name: 'fulcio: another issuer',
      allowed: false,
      because: /names the OIDC issuer "https:\/\/evil\.example"/,
      requirement: fulcio,
      blobs: blobOf(
        fulcioLeaf([
          extendedKeyUsage(CODE_SIGNING),
          alternativeNames({ emails: [EMAIL] }),
          issuerV1('https://evil.example'),
        ]),
      ),
    },
    {
      name: 'fulcio: an issuer with the wanted one as its beginning',
      allowed: false,
      because: /names the OIDC issuer/,
      requirement: fulcio,
      blobs: blobOf(
        fulcioLeaf([...without('1.3.6.1.4.1.57264.1.1').slice(0, 2), issuerV2(`${ISSUER}.evil`)]),
      ),
    },
    {
      name: 'fulcio: no issuer',
      allowed: false,
      because: /names no OIDC issuer/,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(usual().slice(0, 2))),
    },
    {
      name: 'a22: fulcio: two forms of the issuer that differ',
      allowed: false,
      because: /names two different OIDC issuers/,
      requirement: fulcio,
      blobs: blobOf(
        fulcioLeaf([...without('1.3.6.1.4.1.57264.1.1'), issuerV1('https://evil.example')]),
      ),
    },
    {
      name: 'a22: fulcio: the issuer twice',
      allowed: false,
      because: /has the extension 1\.3\.6\.1\.4\.1\.57264\.1\.1 twice/,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf([issuerV1('https://evil.example'), ...usual()])),
    },
    {
      name: 'a22: fulcio: an address of which the wanted one is a part',
      allowed: false,
      because: /is for "release@example\.com\.evil\.example", not for "release@example\.com"/,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(usual({ emails: [`${EMAIL}.evil.example`] }))),
    },
    {
      name: 'fulcio: the address in other letters',
      allowed: false,
      because: /is for "Release@example\.com"/,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(usual({ emails: ['Release@example.com'] }))),
    },
    {
      name: 'fulcio: the address as a host',
      allowed: false,
      because: /is for no e-mail address/,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(usual({ dns: ['example.com'] }))),
    },
    {
      name: 'a22: fulcio: a certificate for no use',
      allowed: false,
      because: /does not say that it is for code signing/,
      skopeoDiffers: 'Go takes a certificate without extendedKeyUsage for good at everything',
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf(without('2.5.29.37'))),
    },
    {
      name: 'fulcio: a certificate for any use',
      allowed: false,
      because: /does not say that it is for code signing/,
      skopeoDiffers: 'Go takes anyExtendedKeyUsage for code signing',
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf([extendedKeyUsage(ANY_USAGE), ...without('2.5.29.37')])),
    },
    {
      name: 'a22: fulcio: a certificate for servers',
      allowed: false,
      because: /is not meant for code signing/,
      requirement: fulcio,
      blobs: blobOf(fulcioLeaf([extendedKeyUsage(SERVER_AUTH), ...without('2.5.29.37')])),
    },
    {
      name: 'a22: fulcio: two certificates',
      allowed: false,
      because: /has 2 certificates in dev\.sigstore\.cosign\/certificate instead of one/,
      requirement: fulcio,
      blobs: blobOf(leaf, { annotations: { [ANNOTATION.certificate]: leaf.pem + root.pem } }),
    },
    {
      name: 'a22: fulcio: bytes behind the certificate',
      allowed: false,
      because: /not PEM of certificates and nothing else/,
      requirement: fulcio,
      blobs: blobOf(leaf, { annotations: { [ANNOTATION.certificate]: `${leaf.pem}x` } }),
    },
    {
      name: 'a22: fulcio: another certificate of the same person than the logged one',
      allowed: false,
      because: /it is about another key/,
      requirement: fulcio,
      blobs: blobOf(leaf, { annotations: { [ANNOTATION.certificate]: fulcioLeaf(usual()).pem } }),
    },
    {
      name: 'a22: fulcio: a forged certificate with a real one hidden in it',
      allowed: false,
      because: /has a certificate that is read as another one/,
      requirement: fulcio,
      blobs: blobOf(disguised),
    },
    {
      name: 'fulcio: no certificate',
      allowed: false,
      because: /has no annotation dev\.sigstore\.cosign\/certificate/,
      requirement: fulcio,
      blobs: blobOf(leaf, { annotations: { [ANNOTATION.certificate]: undefined } }),
    },
    {
      name: 'fulcio: a good certificate, and a signature by another key',
      allowed: false,
      because: /has a key that did not make the signature/,
      requirement: fulcio,
      blobs: [sigstoreBlob({ payload, key: makeKey(), certificate: leaf, chain, rekor })],
    },
    {
      name: 'fulcio: an authority of the same name',
      allowed: false,
      because: /comes from none of the accepted authorities/,
      requirement: fulcio,
      blobs: blobOf(rooted(stranger), { chain: [stranger, stranger] }),
    },
    {
      name: 'fulcio: a chain whose own root is not the policy’s',
      allowed: false,
      because: /nobody known issued it/,
      requirement: fulcio,
      blobs: blobOf(leaf, { chain: [authority('x'), authority('y')] }),
    },
    {
      name: 'fulcio: the intermediate where the root belongs, as the last of the chain',
      allowed: false,
      because: /nobody known issued it/,
      requirement: fulcio,
      blobs: blobOf(leaf, { chain: [intermediate] }),
    },
    {
      name: 'fulcio: the intermediate itself as the authority of the policy',
      allowed: true,
      requirement: {
        ...fulcio,
        fulcio: { ...fulcio.fulcio, caData: data(intermediate.pem)[0] },
      },
      blobs: blobOf(leaf),
    },
    {
      name: 'pki: a good signature',
      allowed: true,
      requirement: pki,
      blobs: pkiBlob(leaf),
    },
    {
      name: 'pki: a certificate that names no use, as own authorities make them',
      allowed: true,
      requirement: pki,
      blobs: pkiBlob(fulcioLeaf([alternativeNames({ emails: [EMAIL] })])),
    },
    {
      name: 'a22: pki: a certificate for servers',
      allowed: false,
      because: /is not meant for code signing/,
      requirement: pki,
      blobs: pkiBlob(
        fulcioLeaf([extendedKeyUsage(SERVER_AUTH), alternativeNames({ emails: [EMAIL] })]),
      ),
    },
    {
      name: 'pki: the intermediate from the policy',
      allowed: true,
      requirement: pkiFor({
        caIntermediatesData: data(intermediate.pem)[0],
        subjectEmail: EMAIL,
      }),
      blobs: [sigstoreBlob({ payload, key: leaf.key, certificate: leaf })],
    },
    {
      name: 'pki: the second of several roots',
      allowed: true,
      requirement: {
        pki: { caRootsData: data(stranger.pem + root.pem)[0], subjectEmail: EMAIL },
      },
      blobs: pkiBlob(leaf),
    },
    {
      name: 'a22: pki: a certificate whose key is no point of its curve, before a good one',
      allowed: true,
      requirement: pki,
      blobs: [...pkiBlob(pointless), ...pkiBlob(leaf)],
    },
    {
      name: 'a22: pki: a certificate whose key is no point of its curve',
      allowed: false,
      because: /has a key that is no point of its curve/,
      requirement: pki,
      blobs: pkiBlob(pointless),
    },
    {
      name: 'pki: no way to the root',
      allowed: false,
      because: /nobody known issued it/,
      requirement: pki,
      blobs: [sigstoreBlob({ payload, key: leaf.key, certificate: leaf })],
    },
    {
      name: 'pki: an expired certificate, whatever a log says',
      allowed: false,
      because: /expired on/,
      requirement: pkiFor({ subjectEmail: EMAIL }),
      blobs: blobOf(old, { integratedAt: oldTime }),
    },
    {
      name: 'pki: a certificate without end',
      allowed: true,
      requirement: pki,
      blobs: pkiBlob(rooted(intermediate, { notAfter: '99991231235959Z' })),
    },
    {
      name: 'pki: a certificate until a day that does not exist',
      allowed: false,
      because: /no readable time of validity|cannot be read|expired on/,
      requirement: pki,
      blobs: pkiBlob(rooted(intermediate, { notAfter: '20991332000000Z' })),
    },
    {
      name: 'pki: another address',
      allowed: false,
      because: /is for "release@example\.com", not for "other@example\.com"/,
      requirement: pkiFor({ subjectEmail: 'other@example.com' }),
      blobs: pkiBlob(leaf),
    },
    {
      name: 'pki: the address, but another host',
      allowed: false,
      because: /is for no host, not for "build\.example\.com"/,
      requirement: pkiFor({ subjectEmail: EMAIL, subjectHostname: 'build.example.com' }),
      blobs: pkiBlob(leaf),
    },
    ...(
      [
        ['the host', { dns: ['build.example.com'] }, 'build.example.com', true],
        ['the host in other letters', { dns: ['BUILD.example.com'] }, 'build.Example.com', true],
        ['a wildcard', { dns: ['*.example.com'] }, 'build.example.com', true],
        ['a wildcard for two labels', { dns: ['*.example.com'] }, 'a.build.example.com', false],
        ['a wildcard for none', { dns: ['*.example.com'] }, 'example.com', false],
        ['a wildcard inside a label', { dns: ['b*.example.com'] }, 'build.example.com', false],
        [
          'a host of which it is a part',
          { dns: ['xbuild.example.com'] },
          'build.example.com',
          false,
        ],
        [
          'an address of the network',
          { addresses: [Buffer.from([192, 0, 2, 1])] },
          '192.0.2.1',
          true,
        ],
        ['an address of the network as a name', { dns: ['192.0.2.1'] }, '192.0.2.1', false],
      ] as const
    ).map(([what, names, hostname, allowed]) => ({
      name: `pki: ${what}`,
      allowed,
      ...(allowed ? {} : { because: /not for "/ }),
      requirement: forHost(hostname),
      blobs: pkiBlob(host(names)),
    })),
    {
      name: 'a22: pki: a certificate issued by one that is no authority',
      allowed: false,
      because: /its issuer "CN=client" is not an authority/,
      requirement: pki,
      blobs: pkiBlob(rooted(client), [client, root]),
    },
    {
      name: 'pki: an authority below one that allows none',
      allowed: false,
      because: /allows only 0 authorities below it/,
      requirement: pki,
      blobs: pkiBlob(rooted(below), [below, constrained, root]),
    },
    {
      name: 'pki: an authority right below one that allows none below itself',
      allowed: true,
      requirement: pki,
      blobs: pkiBlob(rooted(constrained), [constrained, root]),
    },
    {
      name: 'pki: an authority that may not sign certificates',
      allowed: false,
      because: /may not sign certificates/,
      requirement: pki,
      blobs: pkiBlob(rooted(noSigner), [noSigner, root]),
    },
    {
      name: 'pki: an authority for servers',
      allowed: false,
      because: /its issuer "CN=servers" is not meant for code signing/,
      requirement: pki,
      blobs: pkiBlob(rooted(servers), [servers, root]),
    },
    {
      name: 'pki: an authority with name constraints',
      allowed: false,
      because: /has name constraints, which sysct does not evaluate/,
      skopeoDiffers: 'Go evaluates them',
      requirement: pki,
      blobs: pkiBlob(rooted(named), [named, root]),
    },
    {
      name: 'pki: an unknown critical extension',
      allowed: false,
      because: /unknown critical extension 1\.2\.3\.4/,
      requirement: pki,
      blobs: pkiBlob(
        fulcioLeaf([...usual(), { oid: '1.2.3.4', critical: true, value: tlv(0x05) }]),
      ),
    },
    {
      name: 'pki: a certificate whose issuer did not sign it',
      allowed: false,
      because: /its issuer "CN=intermediate" did not sign it/,
      requirement: pki,
      blobs: pkiBlob(rooted(intermediate, { signedBy: makeKey() })),
    },
    {
      name: 'a22: pki: a forged certificate with a real one hidden in it',
      allowed: false,
      because: /has a certificate that is read as another one/,
      requirement: pki,
      blobs: pkiBlob(disguised),
    },
    {
      name: 'a22: pki: certificates without end in the chain',
      allowed: false,
      because: /not PEM of certificates and nothing else/,
      skopeoDiffers: 'it reads them all',
      requirement: pki,
      blobs: pkiBlob(leaf, [...chain, ...Array.from({ length: 20 }, () => root)]),
    },
  ];
}

/** The same bytes to a decoder that does not look at the unused bits of the last character. */
function otherUnusedBits(base64: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const at = base64.indexOf('=') - 1;
  if (at < 0) throw new Error('no unused bits');
  const next = alphabet[alphabet.indexOf(base64[at]!) + 1]!;
  return `${base64.slice(0, at)}${next}${base64.slice(at + 1)}`;
}
