// SPDX-License-Identifier: Apache-2.0
import { TrustError } from '../verdict/trust-error.ts';
import type { Certificate } from './certificate.ts';
import { assertChain } from './certificate-chain.ts';
import { allowsUsage } from './certificate-extensions.ts';
import { assertSeenByLog } from './certificate-timestamp.ts';
import { isWithin, type TrustedRoot } from './trusted-root.ts';

/**
 * Asserts that an authority of the trusted root issued the certificate for code signing, that it was valid at each of the times, and,
 * where the root names logs of certificates, that one of them has seen it.
 * @param times at least one, and each proved: Fulcio's certificates live for minutes
 * @throws TrustError BAD_SIGNATURE; the message follows "a certificate that"
 */
export function assertCertified(
  leaf: Certificate,
  root: TrustedRoot,
  times: readonly [Date, ...Date[]],
): void {
  // Fulcio always says so. Own authorities often leave it out, which X.509 takes for "any use".
  if (allowsUsage(leaf, 'code signing') !== 'by-name')
    throw invalid('does not say that it is for code signing');
  for (const time of times) {
    const issuer = issuerAt(leaf, root, time);
    if (root.certificateLogs.length > 0) assertSeenByLog(leaf, issuer, root.certificateLogs);
  }
}

function issuerAt(leaf: Certificate, { authorities }: TrustedRoot, time: Date): Certificate {
  const inUse = authorities.filter((authority) => isWithin(authority.inUse, time));
  let problem = invalid('no authority of the trusted root was in use for');
  for (const { chain } of inUse) {
    const pool = { roots: chain.slice(-1), intermediates: chain.slice(0, -1) };
    try {
      const [, issuer] = assertChain(leaf, pool, time);
      if (issuer !== undefined) return issuer;
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      problem = error;
    }
  }
  throw problem;
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
