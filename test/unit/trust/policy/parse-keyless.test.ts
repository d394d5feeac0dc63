// SPDX-License-Identifier: Apache-2.0
// The grammar of trust.d for certificates, digests and attestations.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../../../src/trust/policy/trust-d.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const ROOT = { trustedRootPath: '/root.json' };
const WHO = { issuer: 'https://issuer', subjectURI: 'https://subject' };
const DIGEST = { signedIdentity: { type: 'matchDigest' } };
const KEYLESS = { keyless: { ...ROOT, ...WHO } };
const attested = (more: object) => ({
  type: 'attested',
  predicateType: 'slsaprovenance1',
  signer: { keyPath: '/k' },
  ...more,
});
const signed = (more: object) => ({ type: 'sigstoreSigned', ...more });
const keyless = (more: object) => signed({ keyless: { ...ROOT, ...WHO, ...more } });

function parse(requirement: object): void {
  const transports = { docker: { 'a.b/c': { also: [requirement] } } };
  parseTrustD('/d', [{ path: 'f.json', text: JSON.stringify({ version: 1, transports }) }]);
}

const TAKEN: readonly (readonly [string, object])[] = [
  ['keyless', signed({ ...KEYLESS, ...DIGEST })],
  ['keyless for a name', signed(KEYLESS)],
  ['the trusted root in the file itself', signed({ keyless: { ...WHO, trustedRootData: 'e30=' } })],
  ['patterns', keyless({ subjectURI: undefined, subjectPattern: 'https://x/**' })],
  ['what else a certificate must say', keyless({ sourceRef: 'refs/heads/main' })],
  ['matchDigest with a key', signed({ keyPath: '/k', ...DIGEST })],
  ['an attestation', attested({})],
  ['an attestation by its URI', attested({ predicateType: 'https://example.com/x' })],
  ['an attestation of the index', attested({ signedManifest: 'indexOrInstance' })],
  ['builder and source', attested({ builder: 'x', sourcePattern: 'y/*' })],
  ['a keyless attester', attested({ signer: KEYLESS })],
  ['logged attestations', attested({ signer: { keyPath: '/k', rekorPublicKeyPath: '/r' } })],
];

const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  ['keyless and a key', signed({ ...KEYLESS, keyPath: '/k' }), /exactly one of .* and keyless/],
  ['keyless with a Rekor key', signed({ ...KEYLESS, rekorPublicKeyPath: '/r' }), /cannot be used/],
  ['keyless without a root', signed({ keyless: WHO }), /trustedRootPath, trustedRootData must be/],
  ['keyless without an issuer', keyless({ issuer: undefined }), /issuer or issuerPattern must/],
  ['keyless without a subject', keyless({ subjectURI: undefined }), /exactly one of subjectEmail/],
  ['two subjects', keyless({ subjectEmail: 'a@b' }), /exactly one of subjectEmail/],
  ['an issuer and its pattern', keyless({ issuerPattern: 'x*' }), /at most one of issuer and/],
  ['an empty issuer', keyless({ issuer: '' }), /keyless\.issuer: must not be empty/],
  [
    'a subject that everybody fits',
    keyless({ subjectURI: undefined, subjectPattern: '**' }),
    /subjectPattern: fits everything/,
  ],
  ['an extension that sysct does not know', keyless({ workflow: 'x' }), /unknown key "workflow"/],
  ['an extension in other letters', keyless({ SourceRef: 'x' }), /did you mean sourceRef/],
  ['an attestation without a type', attested({ predicateType: undefined }), /predicateType is/],
  ['an attestation by an unknown name', attested({ predicateType: 'slsa' }), /neither a URI/],
  ['an attestation without a signer', attested({ signer: undefined }), /signer is missing/],
  ['an attester without a key', attested({ signer: {} }), /exactly one of keyPath/],
  ['no keys', attested({ signer: { keyPaths: [] } }), /an empty list of keys/],
  [
    'a builder of what has none',
    attested({ predicateType: 'spdx', builder: 'x' }),
    /builder and source stand only in SLSA provenance/,
  ],
  [
    'an attester in an anyOf',
    { type: 'anyOf', requirements: [attested({})] },
    /"attested" has no signer/,
  ],
];

describe('trust.d', () => {
  for (const [name, requirement] of TAKEN) {
    it(`takes ${name}`, () => {
      assert.doesNotThrow(() => parse(requirement));
    });
  }

  for (const [name, requirement, error] of REFUSED) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parse(requirement), hasCode('INVALID_POLICY', error));
    });
  }
});

describe('policy.json', () => {
  for (const [name, requirement, error] of [
    ['matchDigest', signed({ keyPath: '/k', ...DIGEST }), /known only in trust\.d/],
    ['keyless', signed(KEYLESS), /unknown key "keyless"/],
    ['noDowngrade', { type: 'noDowngrade' }, /noDowngrade is known only in trust\.d/],
    ['attested', attested({}), /attested is known only in trust\.d/],
  ] as const) {
    it(`refuses ${name}, which other tools do not know`, () => {
      const text = JSON.stringify({ default: [requirement] });
      assert.throws(() => parsePolicy(text, 'f.json'), hasCode('INVALID_POLICY', error));
    });
  }
});
