// SPDX-License-Identifier: Apache-2.0
// The same signatures to us and to a skopeo that knows sigstore.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  putSignatures,
  summarize,
  sysctOpinion,
  writePolicyImage,
} from '../support/image/policy-image.ts';
import { REFERENCE, sigstoreCases } from '../support/trust/sigstore-cases.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { openTrixieSkopeo, type TrixieSkopeo } from '../support/trust/trixie-skopeo.ts';

let skopeo: TrixieSkopeo;

before(async () => {
  skopeo = await openTrixieSkopeo();
});

after(() => skopeo[Symbol.dispose]());

const digest = (() => {
  using tmp = temporaryDirectory('digest');
  return writePolicyImage(join(tmp.directory, 'image')).manifestDigest;
})();

describe('sigstoreSigned, beside skopeo', () => {
  for (const [n, c] of sigstoreCases(digest).entries()) {
    const differs = c.skopeoDiffers === undefined ? '' : ` (skopeo differs: ${c.skopeoDiffers})`;
    it(`${c.allowed ? 'admits' : 'refuses'} ${c.name}${differs}`, async () => {
      const inside = `/srv/case-${n}`;
      const image = writePolicyImage(join(skopeo.root, inside));
      assert.equal(image.manifestDigest, digest);
      putSignatures(image, c.blobs);
      const policyFile = `${image.directory}.json`;
      const exact = { type: 'exactReference', dockerReference: REFERENCE };
      const signedIdentity = c.signedIdentity ?? exact;
      const requirement = { type: 'sigstoreSigned', ...c.requirement, signedIdentity };
      writeFileSync(policyFile, JSON.stringify({ default: [requirement] }));
      const ours = summarize(await sysctOpinion(image, policyFile));
      const copy = ['copy', '--remove-signatures', `dir:${inside}`, `dir:${inside}.copy`];
      const theirs = await skopeo.run(['--policy', `${inside}.json`, ...copy]);
      assert.equal(ours.allowed, c.allowed, ours.said);
      const expected = c.skopeoDiffers === undefined ? c.allowed : !c.allowed;
      assert.equal(theirs.exitCode === 0, expected, theirs.stderr);
    });
  }
});
