// SPDX-License-Identifier: Apache-2.0
// What is advised where a requirement of trust.d is not met; explain.test.ts has those of policy.json.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { sha256 } from '../../../src/base/digest.ts';
import { adviceFor } from '../../../src/trust/advice.ts';
import type { Advice, SignaturePlaces } from '../../../src/trust/signature-advice.ts';
import {
  type Asked,
  evaluateSigned,
  makeSigningKey,
  policyOf,
  signManifest,
  type SigningKey,
  SUBJECT,
} from '../../support/trust/evaluate-signed.ts';
import { makeKey } from '../../support/trust/der-certificate.ts';

const ATTACHED: SignaturePlaces = { useSigstoreAttachments: true, hasLookaside: true };
const INDEX = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: SUBJECT.manifestDigest,
        size: SUBJECT.manifestBytes.length,
        platform: { os: 'linux', architecture: 'amd64' },
      },
    ],
  }),
);
const NEVER_BACK = { docker: { '': { also: [{ type: 'noDowngrade' }] } } };

let alice: SigningKey;

before(async () => {
  alice = await makeSigningKey('alice');
});

async function advised(asked: Asked, configured = ATTACHED): Promise<readonly Advice[]> {
  const { subject = SUBJECT } = asked;
  return adviceFor(policyOf(asked), subject, await evaluateSigned(asked), [], configured);
}

function signedByAlice(trustD: object): Pick<Asked, 'policy' | 'trustD'> {
  return { policy: { docker: { 'registry.example': [alice.signedBy] } }, trustD };
}

function attested(): object {
  const keyData = Buffer.from(makeKey().pem).toString('base64');
  return {
    docker: {
      'registry.example': {
        also: [{ type: 'attested', predicateType: 'spdx', signer: { keyData } }],
      },
    },
  };
}

describe('advice', () => {
  it('names the digest of the index where its signature alone counts', async () => {
    const admit = [{ ...alice.signedBy, signedManifest: 'index' }];
    const subject = { ...SUBJECT, index: { digest: sha256(INDEX), bytes: INDEX } };
    const trustD = { docker: { 'registry.example': { admit } } };
    const [advice] = await advised({ trustD, subject });
    assert.match(advice?.text ?? '', new RegExp(`^have ${sha256(INDEX)} signed`));
  });

  it('asks for the attestation that is missing, and for no other signature', async () => {
    const signatures = { [SUBJECT.manifestDigest]: [await signManifest(alice)] };
    const advice = await advised({ ...signedByAlice(attested()), signatures });
    assert.equal(advice.length, 1);
    assert.match(advice[0]?.text ?? '', new RegExp(`^have ${SUBJECT.manifestDigest} attested`));
  });

  it('says so where attestations are not looked for', async () => {
    const signatures = { [SUBJECT.manifestDigest]: [await signManifest(alice)] };
    const advice = await advised(
      { ...signedByAlice(attested()), signatures },
      { ...ATTACHED, useSigstoreAttachments: false },
    );
    assert.match(
      advice[0]?.text ?? '',
      /write "use-sigstore-attachments: true" for registry\.example into \/etc\/containers\/registries\.d/,
    );
  });

  it('gives the command that goes back to an older image', async () => {
    const at = new Date('2026-01-01T00:00:00Z');
    const signatures = { [SUBJECT.manifestDigest]: [await signManifest(alice, { at })] };
    const newer = { manifestDigest: sha256('newer'), signedAt: new Date('2026-02-01T00:00:00Z') };
    const advice = await advised({
      ...signedByAlice(NEVER_BACK),
      signatures,
      history: { newestStored: () => newer, allowDowngrade: false },
    });
    assert.deepEqual(
      advice.map(({ command }) => command),
      ['sysct pull --allow-downgrade registry.example/coreos/etcd:3.4'],
    );
  });
});
