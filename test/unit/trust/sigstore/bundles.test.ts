// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { parseReference } from '../../../../src/oci/reference.ts';
import { evaluatePolicy } from '../../../../src/trust/evaluate.ts';
import { encodeBundleBlob } from '../../../../src/trust/lookaside/signature-blob.ts';
import { parsePolicy } from '../../../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../../../src/trust/policy/trust-d.ts';
import type { Verdict } from '../../../../src/trust/verdict/verdict.ts';
import { bundleCases } from '../../../support/bundle-cases.ts';

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = sha256(MANIFEST);
const REFERENCE = 'registry.example/coreos/etcd:3.4';

async function judge(requirement: object, bundles: readonly Buffer[]): Promise<Verdict> {
  const scope = { also: [requirement] };
  const text = JSON.stringify({
    version: 1,
    transports: { docker: { 'registry.example': scope } },
  });
  const { verdict } = await evaluatePolicy(
    {
      ...parsePolicy('{"default":[{"type":"insecureAcceptAnything"}]}', '/policy.json'),
      trustD: parseTrustD('/trust.d', [{ path: '/trust.d/a.json', text }]),
    },
    {
      transport: 'docker',
      policyIdentity: REFERENCE,
      reference: parseReference(REFERENCE),
      manifestDigest: DIGEST,
      manifestBytes: MANIFEST,
    },
    async () => ({
      candidates: bundles.map((json, n) => ({
        bytes: encodeBundleBlob(json),
        source: `bundle-${n + 1}`,
      })),
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

describe('bundles', () => {
  for (const { name, allowed, because, requirement, bundles } of bundleCases(DIGEST)) {
    it(`${allowed ? 'admit' : 'refuse'} ${name}`, async () => {
      const verdict = await judge(requirement, bundles);
      const said = verdict.allowed ? 'allowed' : verdict.reasons.join('\n');
      assert.equal(verdict.allowed, allowed, said);
      if (!allowed) assert.match(said, because ?? /./);
    });
  }
});
