// SPDX-License-Identifier: Apache-2.0
//
// From a certificate to an authority that the policy names (RFC 5280 §6, as Go's crypto/x509 does it), for
// the use that they are asked for. Node verifies signatures of certificates, but builds no paths.
import { TrustError } from '../verdict/trust-error.ts';
import { type Certificate, describeCertificate } from './certificate.ts';
import {
  allowsUsage,
  EXTENSION,
  maySignCertificates,
  readBasicConstraints,
  type Usage,
} from './certificate-extensions.ts';
import { describeKey } from './public-key.ts';

export interface Authorities {
  readonly roots: readonly Certificate[];
  /** Certificates that may stand in between; anybody may have sent them. */
  readonly intermediates: readonly Certificate[];
}

/** What we understand, so that it may be critical. Policies are only for those who ask for one. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.authorityKeyId,
  EXTENSION.basicConstraints,
  EXTENSION.certificatePolicies,
  EXTENSION.extendedKeyUsage,
  EXTENSION.keyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.subjectKeyId,
]);

/** RSA PKCS#1 v1.5 and ECDSA with SHA-256, -384, -512; Ed25519. */
const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
]);

const MAX_CHAIN = 8;
const MAX_SIGNATURES = 64;

interface Search {
  readonly authorities: Authorities;
  readonly at: Date;
  readonly usage: Usage;
  readonly problems: Set<string>;
  signaturesLeft: number;
}

/**
 * Asserts that a chain leads from `leaf` to one of the roots, all of it valid at `at` and meant for the use.
 * @returns the chain, the leaf first
 * @throws TrustError BAD_SIGNATURE; the message follows "a certificate that"
 */
export function assertChain(
  leaf: Certificate,
  authorities: Authorities,
  at: Date,
  usage: Usage = 'code signing',
): readonly Certificate[] {
  assertFit(leaf, at, usage);
  const problems = new Set<string>();
  const search = { authorities, at, usage, problems, signaturesLeft: MAX_SIGNATURES };
  const chain = chainToRoot([leaf], search);
  if (chain !== undefined) return chain;
  const why = problems.size === 0 ? 'nobody known issued it' : [...problems].slice(0, 3).join('; ');
  throw invalid(`comes from none of the accepted authorities: ${why}`);
}

/**
 * Asserts that a certificate that is trusted as it is was valid at `at` and meant for the use.
 * @throws TrustError BAD_SIGNATURE; the message follows "a certificate that"
 */
export function assertFit(certificate: Certificate, at: Date, usage: Usage): void {
  const problem = commonProblem(certificate, at, usage);
  if (problem !== undefined) throw invalid(problem);
}

function chainToRoot(
  chain: readonly Certificate[],
  search: Search,
): readonly Certificate[] | undefined {
  const last = chain.at(-1);
  if (last === undefined || chain.length >= MAX_CHAIN) return undefined;
  const { roots, intermediates } = search.authorities;
  const [root] = issuersOf(last, chain, roots, search);
  if (root !== undefined) return [...chain, root];
  for (const issuer of issuersOf(last, chain, intermediates, search)) {
    const whole = chainToRoot([...chain, issuer], search);
    if (whole !== undefined) return whole;
  }
  return undefined;
}

function issuersOf(
  last: Certificate,
  chain: readonly Certificate[],
  pool: readonly Certificate[],
  search: Search,
): readonly Certificate[] {
  return pool.filter((candidate) => {
    if (!candidate.subject.equals(last.issuer)) return false;
    if (chain.some(({ der }) => der.equals(candidate.der))) return false;
    const problem =
      commonProblem(candidate, search.at, search.usage) ??
      issuerProblem(candidate, chain.length - 1) ??
      signatureProblem(last, candidate, search);
    if (problem === undefined) return true;
    search.problems.add(`its issuer ${describeCertificate(candidate)} ${problem}`);
    return false;
  });
}

function commonProblem(certificate: Certificate, at: Date, usage: Usage): string | undefined {
  if (at < certificate.notBefore)
    return `is valid from ${certificate.notBefore.toISOString()}, after ${at.toISOString()}`;
  if (at > certificate.notAfter)
    return `expired on ${certificate.notAfter.toISOString()}, before ${at.toISOString()}`;
  if (certificate.extensions.has(EXTENSION.nameConstraints))
    return 'has name constraints, which sysct does not evaluate';
  if (allowsUsage(certificate, usage) === 'no') return `is not meant for ${usage}`;
  for (const [oid, { critical }] of certificate.extensions)
    if (critical && !UNDERSTOOD.has(oid)) return `has the unknown critical extension ${oid}`;
  try {
    describeKey(certificate.publicKey, '');
  } catch (error) {
    if (error instanceof TrustError) return `has a key that is ${error.message}`;
    throw error;
  }
  return undefined;
}

function issuerProblem(issuer: Certificate, issuersBelow: number): string | undefined {
  const { isAuthority, pathLength } = readBasicConstraints(issuer);
  if (!isAuthority) return 'is not an authority';
  if (!maySignCertificates(issuer)) return 'may not sign certificates';
  if (pathLength !== undefined && issuersBelow > pathLength)
    return `allows only ${pathLength} authorities below it`;
  return undefined;
}

function signatureProblem(
  certificate: Certificate,
  issuer: Certificate,
  search: Search,
): string | undefined {
  if (!SIGNATURE_ALGORITHMS.has(certificate.signatureAlgorithm))
    return `signed with the algorithm ${certificate.signatureAlgorithm}, which is not accepted`;
  search.signaturesLeft -= 1;
  if (search.signaturesLeft < 0) throw invalid(`has too many certificates beside it`);
  return certificate.x509.verify(issuer.publicKey) ? undefined : 'did not sign it';
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
