// SPDX-License-Identifier: Apache-2.0
// What cosign 2 attaches, where trust.d asks for more than policy.json can: keyless by a trusted root, and attestations.
// And bundles for the authorities that policy.json knows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeBundleBlob } from '../../../../src/trust/lookaside/signature-blob.ts';
import { encodeSigstoreBlob } from '../../../../src/trust/lookaside/sigstore-json.ts';
import {
  byKey,
  data,
  HOUR_MS,
  MATCH_DIGEST,
  PROVENANCE,
} from '../../../support/trust/bundle-case.ts';
import { makeKey, signBytes, type TestKey } from '../../../support/trust/der-certificate.ts';
import { evaluateSigned, REFERENCE, SUBJECT } from '../../../support/trust/evaluate-signed.ts';
import { byWorkflow } from '../../../support/trust/keyless-bundle-cases.ts';
import {
  keyedBundle,
  keylessBundle,
  PAYLOAD_TYPE,
  signedBytes,
  statement,
} from '../../../support/trust/sigstore-bundles.ts';
import {
  hash,
  makeInstance,
  makeLeaf,
  OIDC_ISSUER,
  trustedRoot,
  WORKFLOW,
} from '../../../support/trust/sigstore-instance.ts';
import {
  cosignPayload,
  logEntry,
  sigstoreBlob,
} from '../../../support/trust/sigstore-signatures.ts';

const DIGEST = SUBJECT.manifestDigest;
const instance = makeInstance();
const root = trustedRoot(instance);

async function judge(requirement: object, blob: Buffer): Promise<string> {
  const { verdict } = await evaluateSigned({
    policy: { docker: { 'registry.example': [{ type: 'insecureAcceptAnything' }] } },
    trustD: { docker: { 'registry.example': { also: [requirement] } } },
    signatures: { [DIGEST]: [blob] },
  });
  return verdict.allowed ? 'allowed' : verdict.reasons.join('\n');
}

type Case = readonly [name: string, requirement: object, blob: Buffer, said: RegExp];

function check(cases: readonly Case[]): void {
  for (const [name, requirement, blob, said] of cases)
    it(`${said.source === '^allowed$' ? 'admits' : 'refuses'} ${name}`, async () => {
      assert.match(await judge(requirement, blob), said);
    });
}

const ALLOWED = /^allowed$/;

describe('a keyless signature of cosign 2', () => {
  const payload = cosignPayload(REFERENCE.replace(/:3.4$/, ''), DIGEST);
  const rekor = instance.rekor.key;
  const leaf = makeLeaf(instance);
  const attached = (certificate = leaf, more: object = {}) =>
    sigstoreBlob({ payload, key: certificate.key, rekor, certificate, ...more });
  const keyless = byWorkflow(root);
  const unseen = makeLeaf(instance, { seenBy: undefined });
  check([
    ['of a workflow', keyless, attached(), ALLOWED],
    [
      'of a pattern of workflows',
      byWorkflow(root, { subjectURI: undefined, subjectPattern: 'https://github.com/org/**' }),
      attached(),
      ALLOWED,
    ],
    [
      'of another workflow',
      byWorkflow(root, { subjectURI: 'https://github.com/other' }),
      attached(),
      /has a certificate that names the subject/,
    ],
    [
      'a22: of a certificate that no certificate log has seen',
      keyless,
      attached(unseen),
      /has no promise of a certificate log/,
    ],
    [
      'a22: of another log',
      keyless,
      attached(leaf, { rekor: makeKey() }),
      /none of the accepted Rekor keys signed it/,
    ],
    [
      'a22: of a certificate that was expired when it was logged',
      keyless,
      attached(leaf, { integratedAt: new Date(Date.now() + HOUR_MS) }),
      /expired on/,
    ],
    [
      'a22: of an authority that is not in the root',
      keyless,
      attached(makeLeaf(instance, { issuedBy: makeInstance().intermediate })),
      /comes from none of the accepted authorities/,
    ],
    [
      'a22: of a time when the log was not in use',
      keyless,
      attached(leaf, { integratedAt: new Date(0) }),
      /its log was not in use then|it says no time/,
    ],
  ]);
});

interface AttestationParts {
  readonly key?: TestKey;
  readonly leaf?: ReturnType<typeof makeLeaf>;
  readonly rekor?: TestKey;
  readonly entry?: 'dsse' | 'intoto';
  readonly payload?: Buffer;
  /** What the entry is about instead. */
  readonly logged?: Buffer;
  readonly loggedSigner?: string;
  readonly predicateType?: string;
}

/** What `cosign attest` of version 2 attaches. */
function attestation(parts: AttestationParts): Buffer {
  const { leaf, rekor, entry = 'dsse' } = parts;
  const predicateType = parts.predicateType ?? PROVENANCE;
  const payload = parts.payload ?? statement(DIGEST, { predicateType });
  const key = leaf?.key ?? parts.key ?? makeKey();
  const signature = signBytes(key, signedBytes(payload));
  const envelope = {
    payloadType: PAYLOAD_TYPE,
    payload: data(payload),
    signatures: [{ keyid: '', sig: data(signature) }],
  };
  const signer = parts.loggedSigner ?? leaf?.pem ?? key.pem;
  const payloadHash = {
    algorithm: 'sha256',
    value: hash(parts.logged ?? payload).toString('hex'),
  };
  const body =
    entry === 'dsse'
      ? {
          apiVersion: '0.0.1',
          kind: 'dsse',
          spec: {
            envelopeHash: payloadHash,
            payloadHash,
            signatures: [{ signature: data(signature), verifier: data(signer) }],
          },
        }
      : {
          apiVersion: '0.0.1',
          kind: 'intoto',
          spec: { content: { hash: payloadHash, payloadHash }, publicKey: data(signer) },
        };
  return encodeSigstoreBlob({
    mimeType: 'application/vnd.dsse.envelope.v1+json',
    payload: Buffer.from(JSON.stringify(envelope)),
    annotations: {
      'dev.cosignproject.cosign/signature': '',
      predicateType,
      ...(leaf === undefined ? {} : { 'dev.sigstore.cosign/certificate': leaf.pem }),
      ...(rekor === undefined
        ? {}
        : {
            'dev.sigstore.cosign/bundle': logEntry({
              ...{ rekor, signer, signature, payload, body: () => body },
            }),
          }),
    },
  });
}

describe('an attestation of cosign 2', () => {
  const key = makeKey();
  const rekor = makeKey();
  const by = (signer: object, more: object = {}) => ({
    type: 'attested',
    predicateType: 'slsaprovenance1',
    signer,
    ...more,
  });
  const keyed = by({ keyData: data(key.pem) });
  const logged = by({ keyData: data(key.pem), rekorPublicKeyData: data(rekor.pem) });
  const keyless = by({
    keyless: { trustedRootData: data(root), issuer: OIDC_ISSUER, subjectURI: WORKFLOW },
  });
  const leaf = makeLeaf(instance);
  const own = { leaf, rekor: instance.rekor.key };
  const other = statement('1'.repeat(64), { predicateType: PROVENANCE });
  check([
    ['by a key', keyed, attestation({ key }), ALLOWED],
    ['by a key, logged as dsse', logged, attestation({ key, rekor }), ALLOWED],
    ['by a key, logged as intoto', logged, attestation({ key, rekor, entry: 'intoto' }), ALLOWED],
    ['by a workflow, logged as dsse', keyless, attestation(own), ALLOWED],
    ['by a workflow, logged as intoto', keyless, attestation({ ...own, entry: 'intoto' }), ALLOWED],
    ['by another key', keyed, attestation({}), /was made by none of the accepted keys/],
    [
      'that no log has, where one is wanted',
      logged,
      attestation({ key }),
      /has no annotation dev\.sigstore\.cosign\/bundle/,
    ],
    [
      'a22: with an entry about another payload',
      logged,
      attestation({ key, rekor, entry: 'intoto', logged: other }),
      /it is about another payload/,
    ],
    [
      'a22: with an entry about another key',
      logged,
      attestation({ key, rekor, entry: 'intoto', loggedSigner: makeKey().pem }),
      /it is about another key/,
    ],
    [
      'a22: by a workflow, with an entry of another log',
      keyless,
      attestation({ leaf, rekor }),
      /none of the accepted Rekor keys signed it/,
    ],
    ['a02: of another image', keyed, attestation({ key, payload: other }), /for another manifest/],
    [
      'of another type, whatever its annotation says',
      keyed,
      attestation({ key, payload: statement(DIGEST, { predicateType: 'https://x.example' }) }),
      /has none \(1 of another kind\)/,
    ],
    [
      'a22: in the place of a signature',
      byKey(key),
      attestation({ key, predicateType: 'https://sigstore.dev/cosign/sign/v1' }),
      /has none \(1 of another kind\)/,
    ],
    [
      'a22: that cannot be read',
      keyed,
      encodeSigstoreBlob({
        mimeType: 'application/vnd.dsse.envelope.v1+json',
        payload: Buffer.from('{'),
        annotations: {},
      }),
      /has none \(1 of another kind\)/,
    ],
  ]);
});

describe('a bundle, for an authority that policy.json knows', () => {
  const email = 'release@example.com';
  const payload = statement(DIGEST);
  const ca = data(`${instance.intermediate.pem}${instance.root.pem}`);
  const leaf = makeLeaf(instance, { names: { emails: [email] } });
  const bundle = (more: object = {}) =>
    encodeBundleBlob(keylessBundle(instance, { payload, leaf, ...more }));
  const fulcio = (more: object = {}, rekor = instance.rekor.key) => ({
    type: 'sigstoreSigned',
    fulcio: { caData: ca, oidcIssuer: OIDC_ISSUER, subjectEmail: email, ...more },
    rekorPublicKeyData: data(rekor.pem),
    ...MATCH_DIGEST,
  });
  const pki = (more: object = {}) => ({
    type: 'sigstoreSigned',
    pki: { caRootsData: ca, subjectEmail: email, ...more },
    ...MATCH_DIGEST,
  });
  const expired = makeLeaf(instance, {
    names: { emails: [email] },
    notBefore: new Date(0),
    notAfter: new Date(Date.now() - HOUR_MS),
  });
  check([
    ['of Fulcio', fulcio(), bundle(), ALLOWED],
    [
      'of Fulcio, for another address',
      fulcio({ subjectEmail: 'x@y' }),
      bundle(),
      /is not for "x@y"/,
    ],
    [
      'of Fulcio, by another issuer',
      fulcio({ oidcIssuer: 'x' }),
      bundle(),
      /names the OIDC issuer/,
    ],
    ['of Fulcio, of another log', fulcio({}, makeKey()), bundle(), /not signed by the log/],
    [
      'of Fulcio, without a time that Rekor signed',
      fulcio(),
      bundle({ entries: () => [] }),
      /has no time that Rekor signed/,
    ],
    ['of own authorities', pki(), bundle(), ALLOWED],
    [
      'of own authorities, for another host',
      pki({ subjectHostname: 'a.b' }),
      bundle(),
      /not for "a\.b"/,
    ],
    ['of own authorities, expired', pki(), bundle({ leaf: expired }), /expired on/],
    [
      'of own authorities, signed with another key',
      pki(),
      bundle({ signedBy: makeKey() }),
      /has a key that did not make the signature/,
    ],
    [
      'by a key',
      pki(),
      encodeBundleBlob(keyedBundle(makeKey(), payload)),
      /has no certificate, and the policy wants one/,
    ],
  ]);
});
