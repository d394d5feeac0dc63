// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseBundle, type SigstoreBundle } from '../../../src/trust/sigstore/bundle.ts';
import { readProvenance } from '../../../src/trust/sigstore/provenance.ts';
import { parsePublicKeyFile } from '../../../src/trust/sigstore/public-key.ts';
import type { SigstoreTrust } from '../../../src/trust/sigstore/sigstore-trust.ts';
import { parseStatement } from '../../../src/trust/sigstore/statement.ts';
import { parseTrustedRoot } from '../../../src/trust/sigstore/trusted-root.ts';
import { verifyBundle } from '../../../src/trust/sigstore/verify-bundle.ts';
import { OIDC_ISSUER, WORKFLOW } from '../../support/trust/sigstore-instance.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';
import { repairBase64 } from './repair-base64.ts';

const NOW = new Date('2027-01-01T00:00:00Z');
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const sample = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, '../../fixtures/sigstore', name));
const SIGNED = sample('statement.json');

const TRUSTED: readonly SigstoreTrust[] = [
  { kind: 'keys', keys: [parsePublicKeyFile(sample('key.pem'), 'key.pem')], rekorKeys: undefined },
  {
    kind: 'keyless',
    root: parseTrustedRoot(sample('trusted-root.json'), 'trusted-root.json'),
    identity: {
      issuer: { kind: 'exact', text: OIDC_ISSUER },
      subject: { kind: 'uri', is: { kind: 'exact', text: WORKFLOW } },
      extensions: [],
    },
  },
];

// The samples hold, by the key or by the root: else nothing that is made of them could.
const SAMPLES = ['keyed.json', 'first-rekor.json', 'second-rekor.json'];
for (const name of SAMPLES) {
  const trust = TRUSTED[name === 'keyed.json' ? 0 : 1];
  assert.ok(trust && verifyBundle(parseBundle(sample(name)), trust, NOW));
}

/** Bundles of cosign 3 and the statements in them: nothing holds but what the trusted ones signed. */
export const target: FuzzTarget = {
  seeds: [...SAMPLES, 'statement.json'].map(sample),
  maxLength: 8192,
  repair: repairBase64,
  run: (input) => {
    const statement = unlessRefused(
      () => parseStatement({ payloadType: PAYLOAD_TYPE, payload: input }),
      'TrustError',
    );
    if (statement !== undefined) {
      assert.ok(statement.subjects.length <= statement.subjectCount);
      unlessRefused(() => readProvenance(statement), 'TrustError');
    }
    const bundle = unlessRefused(() => parseBundle(input), 'TrustError');
    if (bundle === undefined) return;
    for (const trust of TRUSTED) assertForged(bundle, trust);
  },
};

function assertForged(bundle: SigstoreBundle, trust: SigstoreTrust): void {
  const verified = unlessRefused(() => verifyBundle(bundle, trust, NOW), 'TrustError');
  if (verified === undefined) return;
  const { payload, payloadType } = bundle.envelope;
  assert.ok(payload.equals(SIGNED) && payloadType === PAYLOAD_TYPE, 'a forgery holds');
  // What a certificate signed holds by a proved time only, which is that of the signature.
  if (trust.kind === 'keyless') assertTimes(verified.loggedAt, verified.stampedAt);
}

function assertTimes(...times: readonly (Date | undefined)[]): void {
  const proved = times.filter((time) => time !== undefined);
  assert.ok(proved.length > 0 && proved.every((time) => time < NOW), 'a time that nobody proved');
}
