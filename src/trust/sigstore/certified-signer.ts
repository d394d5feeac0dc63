// SPDX-License-Identifier: Apache-2.0
import type { SigstoreSigner } from '../verdict/verdict.ts';
import type { Certificate } from './certificate.ts';
import { describeKey } from './public-key.ts';

/** Who signed, by a certificate that was verified. @param names those that the policy asks for */
export function certifiedSigner(
  { fingerprint, publicKey, notBefore }: Certificate,
  names: readonly string[],
  issuer: string | undefined,
): SigstoreSigner {
  return {
    kind: 'certificate',
    names,
    certificateFingerprint: fingerprint,
    keyFingerprint: describeKey(publicKey, 'the certificate').fingerprint,
    issuer,
    validFrom: notBefore.toISOString(),
  };
}
