// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { parseReference } from '../../../src/oci/reference.ts';
import {
  parseRegistriesD,
  signatureSettingsFor,
} from '../../../src/trust/lookaside/registries-d.ts';
import { type FuzzTarget, unlessRefusedLater } from '../target.ts';

const SEEDS = [
  `default-docker:
  lookaside: file:///var/lib/containers/sigstore
  lookaside-staging: file:///srv
docker:
  registry.example:5000/a:
    sigstore: https://sigs.example/x
    use-sigstore-attachments: true
  b.example: {}
`,
  'a: &a [x, *a]\nb: !!binary AA==\n? c\n: |\n  d\n--- \n',
  'docker: {"a.example": {lookaside: "", sigstore-staging: ~, use-sigstore-attachments: yes}}',
  'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n',
];
const REFERENCE = parseReference('registry.example:5000/a/b:1');

/** The YAML of registries.d, two files of it. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  maxLength: 1024,
  run: async (input) => {
    const files = input
      .toString('utf8')
      .split('\0')
      .slice(0, 2)
      .map((text, n) => ({ path: `/etc/containers/registries.d/${n}.yaml`, text }));
    const merged = await unlessRefusedLater(() => parseRegistriesD(files), 'TrustError');
    if (merged === undefined) return;
    const { lookaside, staging, useSigstoreAttachments } = signatureSettingsFor(merged, REFERENCE);
    assert.ok(lookaside === undefined || typeof lookaside === 'string');
    assert.ok(staging === undefined || typeof staging === 'string');
    assert.equal(typeof useSigstoreAttachments, 'boolean');
    for (const { line } of merged.warnings) assert.ok(line >= 1);
  },
};
