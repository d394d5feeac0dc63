// SPDX-License-Identifier: Apache-2.0
// Bundles by keys, and what the text of a bundle can be.
import { sign } from 'node:crypto';
import { type BundleCase, byKey, data, PROVENANCE, SIGN } from './bundle-case.ts';
import { makeKey } from './der-certificate.ts';
import { type BundleJson, hintOf, keyedBundle, statement, subjectOf } from './sigstore-bundles.ts';
import { makeLog } from './sigstore-instance.ts';

export function keyedCases(digest: string): readonly BundleCase[] {
  const [alice, bob, rekor] = [makeKey(), makeKey(), makeLog('rekor.example')];
  const payload = statement(digest);
  const good = keyedBundle(alice, payload);
  const requirement = byKey(alice);
  const cosign = { by: { key: alice.pem }, predicateType: SIGN };
  const logged = { ...byKey(alice), rekorPublicKeyData: data(rekor.key.pem) };
  const p384 = makeKey('p384');
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
      name: 'a bundle that hashes with what fits the curve',
      allowed: true,
      requirement: byKey(p384),
      bundles: [
        keyedBundle(p384, payload, {
          sign: (bytes, { privateKey }) => sign('sha384', bytes, privateKey),
        }),
      ],
      cosign: {
        by: { key: p384.pem },
        predicateType: SIGN,
        differs: 'it hashes with SHA-256 for every key of somebody’s own',
      },
    },
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
export function formCases(digest: string): readonly BundleCase[] {
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
      Buffer.from(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
    ]),
    refused('a22: a bundle of nothing but brackets', /has more than 20000 parts/, [
      Buffer.from(`[${'[],'.repeat(60_000)}0]`),
    ]),
    refused('a22: a bundle that is too long for a signature', /has none \(1 of another kind\)/, [
      keyedBundle(key, statement(digest, { predicate: 'x'.repeat(256 * 1024) })),
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
