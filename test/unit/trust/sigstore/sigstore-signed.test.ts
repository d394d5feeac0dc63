// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { parseReference } from '../../../../src/oci/reference.ts';
import { evaluatePolicy } from '../../../../src/trust/evaluate.ts';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import { describeVerdict } from '../../../../src/trust/verdict/describe-verdict.ts';
import type { Verdict } from '../../../../src/trust/verdict/verdict.ts';
import { makeKey } from '../../../support/trust/der-certificate.ts';
import { REFERENCE, sigstoreCases } from '../../../support/trust/sigstore-cases.ts';
import { cosignPayload, sigstoreBlob } from '../../../support/trust/sigstore-signatures.ts';

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = sha256(MANIFEST);

async function judge(requirement: object, blobs: readonly Buffer[]): Promise<Verdict> {
  const policy = parsePolicy(
    JSON.stringify({ default: [{ type: 'sigstoreSigned', ...requirement }] }),
    '/etc/containers/policy.json',
  );
  const { verdict } = await evaluatePolicy(
    policy,
    {
      transport: 'docker',
      policyIdentity: REFERENCE,
      reference: parseReference(REFERENCE),
      manifestDigest: DIGEST,
      manifestBytes: MANIFEST,
    },
    async () => ({
      candidates: blobs.map((bytes, n) => ({ bytes, source: `signature-${n + 1}` })),
      places: [],
    }),
    {
      readKeyFile: async () => assert.fail('no key file is named'),
      signal: new AbortController().signal,
      now: () => new Date(),
    },
  );
  return verdict;
}

describe('sigstoreSigned', () => {
  for (const { name, allowed, because, requirement, signedIdentity, blobs } of sigstoreCases(
    DIGEST,
  )) {
    it(`${allowed ? 'admits' : 'refuses'} ${name}`, async () => {
      const identity = signedIdentity === undefined ? {} : { signedIdentity };
      const verdict = await judge({ ...requirement, ...identity }, blobs);
      const said = verdict.allowed ? 'allowed' : verdict.reasons.join('\n');
      assert.equal(verdict.allowed, allowed, said);
      if (!allowed) assert.match(said, because ?? /./);
    });
  }

  it('records the key, the name that was signed, where it was and when', async () => {
    const [key, rekor] = [makeKey(), makeKey()];
    const optional = { timestamp: 1_700_000_000 };
    const payload = cosignPayload(REFERENCE, DIGEST, { optional });
    const integratedAt = new Date('2026-11-01T12:00:00Z');
    const verdict = await judge(
      {
        keyData: Buffer.from(key.pem).toString('base64'),
        rekorPublicKeyData: Buffer.from(rekor.pem).toString('base64'),
      },
      [sigstoreBlob({ payload, key, rekor, integratedAt })],
    );
    const keyFingerprint = sha256(key.publicKey.export({ type: 'spki', format: 'der' }));
    assert.ok(verdict.allowed);
    assert.deepEqual(verdict.outcomes, [
      {
        type: 'sigstoreSigned',
        signer: { kind: 'key', keyFingerprint },
        signedIdentity: REFERENCE,
        signatureSource: 'signature-1',
        loggedAt: '2026-11-01T12:00:00.000Z',
        claimedAt: '2023-11-14T22:13:20.000Z',
      },
    ]);
    assert.equal(verdict.unsigned, undefined);
    assert.equal(describeVerdict(verdict), `signed by ${keyFingerprint.slice(0, 19)}`);
  });
});
