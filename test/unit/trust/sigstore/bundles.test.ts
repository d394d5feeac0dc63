// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeBundleBlob } from '../../../../src/trust/lookaside/signature-blob.ts';
import type { Verdict } from '../../../../src/trust/verdict/verdict.ts';
import { bundleCases } from '../../../support/trust/bundle-cases.ts';
import { evaluateSigned, SUBJECT } from '../../../support/trust/evaluate-signed.ts';

const DIGEST = SUBJECT.manifestDigest;

async function judge(requirement: object, bundles: readonly Buffer[]): Promise<Verdict> {
  const { verdict } = await evaluateSigned({
    policy: { docker: { 'registry.example': [{ type: 'insecureAcceptAnything' }] } },
    trustD: { docker: { 'registry.example': { also: [requirement] } } },
    signatures: { [DIGEST]: bundles.map(encodeBundleBlob) },
  });
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
