// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import {
  allowsUsage,
  EXTENSION,
  maySignCertificates,
  readAlternativeNames,
  readBasicConstraints,
  readFulcioIssuer,
  readFulcioText,
} from '../../../src/trust/sigstore/certificate-extensions.ts';
import { describeCertificate, parseCertificate } from '../../../src/trust/sigstore/certificate.ts';
import { readDer, readDerList, readOid } from '../../../src/trust/sigstore/der.ts';
import { readOnlyPemBlocks, readPemBlocks } from '../../../src/trust/sigstore/pem.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';
import { SAMPLE_CERTIFICATES } from './sample-certificates.ts';

const UNSAFE = /[\u0000-\u001f\u007f-\u009f]/;

/** X.509 certificates as bytes and as PEM, and the names and uses in them. */
export const target: FuzzTarget = {
  seeds: [
    ...SAMPLE_CERTIFICATES,
    ...SAMPLE_CERTIFICATES.map((der) => Buffer.from(pemOf(der))),
    Buffer.from(
      '-----BEGIN A-----\nAAAA\n-----END A-----\nx\n-----BEGIN B-----\n-----END B-----\n',
    ),
  ],
  maxLength: 2048,
  run: (input) => {
    const text = input.toString('latin1');
    const blocks = unlessRefused(() => readPemBlocks(text), 'TrustError');
    const only = unlessRefused(() => readOnlyPemBlocks(text), 'TrustError');
    if (only !== undefined) assert.deepEqual(only, blocks);
    for (const der of [input, ...(blocks ?? []).map(({ der }) => der)]) readCertificate(der);
    unlessRefused(() => readDerList(readDer(input, 0x30)).map(readOid), 'TrustError');
  },
};

function readCertificate(der: Buffer): void {
  const certificate = unlessRefused(() => parseCertificate(der), 'TrustError');
  if (certificate === undefined) return;
  assert.doesNotMatch(describeCertificate(certificate), UNSAFE);
  assert.ok(Number.isFinite(certificate.notAfter.getTime()));
  const names = unlessRefused(() => readAlternativeNames(certificate), 'TrustError');
  for (const email of names?.emails ?? []) assertKnownToOpenSsl(certificate.x509, email);
  unlessRefused(() => allowsUsage(certificate, 'code signing'), 'TrustError');
  unlessRefused(() => readBasicConstraints(certificate), 'TrustError');
  unlessRefused(() => maySignCertificates(certificate), 'TrustError');
  unlessRefused(() => readFulcioIssuer(certificate), 'TrustError');
  unlessRefused(() => readFulcioText(certificate, EXTENSION.fulcioIssuerV2), 'TrustError');
}

/** That OpenSSL, which reads the same bytes with other code, finds the address, where it can read the names at all. */
function assertKnownToOpenSsl(x509: X509Certificate, email: string): void {
  assert.match(email, /^[ -~]*$/);
  if (x509.subjectAltName?.includes('email:') !== true) return;
  if (/^[\w.+-]+@[a-z0-9.-]+$/.test(email))
    assert.equal(x509.checkEmail(email, { subject: 'never' }), email);
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
