// SPDX-License-Identifier: Apache-2.0
// What the cosign of Debian sid says of the bundles that we make ourselves, good and forged: what we say of them.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { bundleCases } from '../support/bundle-cases.ts';
import { openCosign } from '../support/cosign.ts';

const opened = await openCosign('sid');
const missing = typeof opened === 'string' ? opened : false;
const MANIFEST = Buffer.from('{"schemaVersion":2}');

describe('cosign about our bundles', { skip: missing }, () => {
  if (typeof opened === 'string') return;
  after(() => opened[Symbol.dispose]());
  for (const { name, allowed, bundles, cosign } of bundleCases(sha256(MANIFEST))) {
    const [bundle] = bundles;
    if (cosign === undefined || bundle === undefined || bundles.length > 1) continue;
    const { differs } = cosign;
    const title = differs === undefined ? 'agrees' : `differs, as ${differs},`;
    it(`${title} about ${name}`, async () => {
      const { exitCode, stderr } = await opened.judge(cosign, bundle, MANIFEST);
      assert.equal(exitCode === 0, differs === undefined ? allowed : !allowed, stderr);
    });
  }
});
