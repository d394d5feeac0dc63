// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSignatureBlob } from '../../../src/trust/lookaside/signature-blob.ts';
import type { SigstoreAttachment } from '../../../src/trust/lookaside/sigstore-json.ts';
import { parseCertificate } from '../../../src/trust/sigstore/certificate.ts';
import { readPemBlocks } from '../../../src/trust/sigstore/pem.ts';
import { parsePublicKeyFile } from '../../../src/trust/sigstore/public-key.ts';
import type { SigstoreTrust } from '../../../src/trust/sigstore/sigstore-trust.ts';
import { verifyAttachment } from '../../../src/trust/sigstore/verify-attachment.ts';
import { OIDC_ISSUER } from '../../support/trust/sigstore-instance.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const NOW = new Date('2027-01-01T00:00:00Z');
const sample = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, '../../fixtures/sigstore', name));
const SIGNED = sample('attached-payload.json');
const keys = [parsePublicKeyFile(sample('attached-key.pem'), 'key.pem')];
const rekorKeys = [parsePublicKeyFile(sample('attached-rekor.pem'), 'rekor.pem')];
const roots = (readPemBlocks(sample('attached-root.pem').toString('latin1')) ?? []).map(({ der }) =>
  parseCertificate(der),
);

const TRUSTED: readonly SigstoreTrust[] = [
  { kind: 'keys', keys, rekorKeys: undefined },
  { kind: 'keys', keys, rekorKeys },
  {
    kind: 'fulcio',
    ...{ roots, rekorKeys, oidcIssuer: OIDC_ISSUER, subjectEmail: 'ci@example.com' },
  },
];

// The samples hold, each for one of them: else nothing that is made of them could.
const SAMPLES = [
  'attached-by-key.blob',
  'attached-and-logged.blob',
  'attached-by-certificate.blob',
];
for (const [n, trust] of TRUSTED.entries()) {
  const blob = parseSignatureBlob(sample(SAMPLES[n] ?? ''));
  assert.ok(blob.format === 'sigstore-json' && verifyAttachment(blob.attachment, trust, NOW));
}

/** What cosign 2 attaches to images: nothing holds but what the trusted ones signed. */
export const target: FuzzTarget = {
  seeds: SAMPLES.map(sample),
  maxLength: 8192,
  run: (input) => {
    const blob = unlessRefused(() => parseSignatureBlob(input), 'TrustError');
    if (blob?.format !== 'sigstore-json') return;
    for (const trust of TRUSTED) assertForged(blob.attachment, trust);
  },
};

function assertForged(attachment: SigstoreAttachment, trust: SigstoreTrust): void {
  const verified = unlessRefused(() => verifyAttachment(attachment, trust, NOW), 'TrustError');
  if (verified === undefined) return;
  assert.ok(attachment.payload.equals(SIGNED), 'a forgery holds');
  if ('rekorKeys' in trust && trust.rekorKeys !== undefined) {
    assert.ok(verified.loggedAt !== undefined && verified.loggedAt < NOW, 'nobody logged it');
  }
}
