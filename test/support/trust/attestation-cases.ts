// SPDX-License-Identifier: Apache-2.0
// What is said of images: types, builders, sources, and who says it.
import { type BundleCase, data, PROVENANCE } from './bundle-case.ts';
import { makeKey } from './der-certificate.ts';
import { keyedBundle, keylessBundle, statement, subjectOf } from './sigstore-bundles.ts';
import { makeLeaf, OIDC_ISSUER, type SigstoreInstance, trustedRoot } from './sigstore-instance.ts';

export function attestationCases(
  digest: string,
  instance: SigstoreInstance,
): readonly BundleCase[] {
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
