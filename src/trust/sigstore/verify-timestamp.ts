// SPDX-License-Identifier: Apache-2.0
import { createHash, type KeyObject, verify } from 'node:crypto';
import { TrustError } from '../verdict/trust-error.ts';
import { allowsUsage } from './certificate-extensions.ts';
import { assertChain, assertFit } from './certificate-chain.ts';
import { parseTimestampToken, type HashedBytes, type TimestampToken } from './timestamp-token.ts';
import { type CertificateAuthority, isWithin } from './trusted-root.ts';

/**
 * Verifies that one of the authorities says that it saw these bytes.
 * @returns when
 * @throws TrustError BAD_SIGNATURE; the message follows "a timestamp that"
 */
export function verifyTimestamp(
  answer: Buffer,
  stamped: Buffer,
  authorities: readonly CertificateAuthority[],
): Date {
  const token = parseTimestampToken(answer);
  if (!isHashOf(token.imprint, stamped)) throw invalid('is of another signature');
  if (!isHashOf(token.contentHash, token.content)) throw invalid('was changed');
  const named = authorities.filter(
    ({ chain: [signer] }) =>
      signer.issuer.equals(token.issuer) && signer.serialNumber.equals(token.serialNumber),
  );
  if (named.length === 0) throw invalid('comes from none of the accepted authorities');
  if (!named.some((authority) => isStampedBy(authority, token)))
    throw invalid('its authority did not sign');
  return token.time;
}

function isStampedBy({ chain, inUse }: CertificateAuthority, token: TimestampToken): boolean {
  const [signer, ...issuers] = chain;
  const key = signer.publicKey;
  if (!isSignedBy(key, token)) return false;
  if (!isWithin(inUse, token.time)) throw invalid('is of a time when its authority was not in use');
  if (allowsUsage(signer, 'time stamping') !== 'by-name')
    throw invalid('is signed with a certificate for something else');
  const roots = issuers.slice(-1);
  const authorities = { roots, intermediates: issuers.slice(0, -1) };
  // A root can sign timestamps itself, and no longer than it is valid.
  if (roots.length > 0) assertChain(signer, authorities, token.time, 'time stamping');
  else assertFit(signer, token.time, 'time stamping');
  return true;
}

// Who writes the token names the hash, and OpenSSL throws at a key that takes none, or another.
function isSignedBy(key: KeyObject, { signatureHash, signed, signature }: TimestampToken): boolean {
  const takesHash = key.asymmetricKeyType !== 'ed25519';
  if (takesHash !== (signatureHash !== undefined)) return false;
  return verify(signatureHash ?? null, signed, key, signature);
}

function isHashOf({ algorithm, hash }: HashedBytes, bytes: Buffer): boolean {
  return createHash(algorithm).update(bytes).digest().equals(hash);
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
