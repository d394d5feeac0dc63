// SPDX-License-Identifier: Apache-2.0
import { TrustError } from '../verdict/trust-error.ts';
import type { Certificate } from './certificate.ts';
import { DER_TAG, readBoolean, readDer, readDerList, readOid } from './der.ts';

export const EXTENSION = {
  authorityKeyId: '2.5.29.35',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  /** Promises of certificate logs (RFC 6962 §3.3). */
  certificateTimestamps: '1.3.6.1.4.1.11129.2.4.2',
  extendedKeyUsage: '2.5.29.37',
  /** Fulcio's issuer as plain text; deprecated, written beside the next one. */
  fulcioIssuerV1: '1.3.6.1.4.1.57264.1.1',
  /** Fulcio's issuer as a UTF8String. */
  fulcioIssuerV2: '1.3.6.1.4.1.57264.1.8',
  keyUsage: '2.5.29.15',
  nameConstraints: '2.5.29.30',
  subjectAltName: '2.5.29.17',
  subjectKeyId: '2.5.29.14',
} as const;

/** What a certificate can be for. */
export type Usage = 'code signing' | 'time stamping';

const USAGES: Readonly<Record<Usage, string>> = {
  'code signing': '1.3.6.1.5.5.7.3.3',
  'time stamping': '1.3.6.1.5.5.7.3.8',
};
const USAGE_ANY = '2.5.29.37.0';
const EMAIL_TAG = 0x81;
const DNS_TAG = 0x82;
const URI_TAG = 0x86;
const IP_TAG = 0x87;
/** Bit 5 of keyUsage, counted from the left. */
const KEY_CERT_SIGN = 0x04;

/** The names of a subjectAltName that a policy can ask for; other kinds are passed over. */
export interface AlternativeNames {
  readonly emails: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** How many there are, of whatever kind. */
  readonly count: number;
  /** Four or sixteen bytes each. */
  readonly addresses: readonly Buffer[];
}

/** @throws TrustError BAD_SIGNATURE, as all below */
export function readAlternativeNames(certificate: Certificate): AlternativeNames {
  const value = valueOf(certificate, EXTENSION.subjectAltName);
  const names = value === undefined ? [] : readDerList(readDer(value, DER_TAG.sequence));
  const texts = (wanted: number): readonly string[] =>
    names.flatMap(({ tag, content }) => (tag === wanted ? [asciiOf(content)] : []));
  return {
    emails: texts(EMAIL_TAG),
    dnsNames: texts(DNS_TAG),
    uris: texts(URI_TAG),
    count: names.length,
    addresses: names.flatMap(({ tag, content }) => (tag === IP_TAG ? [content] : [])),
  };
}

/** Whether its extendedKeyUsage allows a use; undefined where it has none, and so allows everything. */
export function allowsUsage(
  certificate: Certificate,
  usage: Usage,
): 'by-name' | 'by-any' | 'no' | undefined {
  const value = valueOf(certificate, EXTENSION.extendedKeyUsage);
  if (value === undefined) return undefined;
  const usages = readDerList(readDer(value, DER_TAG.sequence)).map(readOid);
  if (usages.includes(USAGES[usage])) return 'by-name';
  return usages.includes(USAGE_ANY) ? 'by-any' : 'no';
}

/** Whether it may issue certificates, and with how many more issuers below it (undefined: any number). */
export function readBasicConstraints(certificate: Certificate): {
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
} {
  const value = valueOf(certificate, EXTENSION.basicConstraints);
  if (value === undefined) return { isAuthority: false, pathLength: undefined };
  const parts = readDerList(readDer(value, DER_TAG.sequence));
  const [first] = parts;
  const isAuthority = first?.tag === DER_TAG.boolean && readBoolean(first);
  const length = parts.find(({ tag }) => tag === DER_TAG.integer)?.content;
  if (length === undefined) return { isAuthority, pathLength: undefined };
  if (length.length !== 1 || length[0] === undefined || length[0] > 127)
    throw invalid('has an odd path length');
  return { isAuthority, pathLength: length[0] };
}

/** Whether its keyUsage, where it has one, lets it sign certificates. */
export function maySignCertificates(certificate: Certificate): boolean {
  const value = valueOf(certificate, EXTENSION.keyUsage);
  if (value === undefined) return true;
  const bits = readDer(value, DER_TAG.bitString).content;
  return ((bits[1] ?? 0) & KEY_CERT_SIGN) !== 0;
}

/**
 * Who vouched for the identity, as Fulcio writes it down; undefined where it does not say.
 * @throws TrustError BAD_SIGNATURE when it says two different things
 */
export function readFulcioIssuer(certificate: Certificate): string | undefined {
  const first = valueOf(certificate, EXTENSION.fulcioIssuerV1)?.toString('utf8');
  const text = readFulcioText(certificate, EXTENSION.fulcioIssuerV2);
  if (text === undefined) return first;
  if (first !== undefined && first !== text) throw invalid('names two different OIDC issuers');
  return text;
}

/**
 * The text of one of Fulcio's later extensions (from 1.3.6.1.4.1.57264.1.8 on); undefined where it is not there.
 * @throws TrustError BAD_SIGNATURE
 */
export function readFulcioText(certificate: Certificate, oid: string): string | undefined {
  const value = valueOf(certificate, oid);
  return value === undefined
    ? undefined
    : readDer(value, DER_TAG.utf8String).content.toString('utf8');
}

// IA5String. Anything else would be compared as a text that it is not.
function asciiOf(content: Buffer): string {
  if (content.some((byte) => byte < 0x20 || byte > 0x7e)) throw invalid('has a malformed name');
  return content.toString('latin1');
}

function valueOf(certificate: Certificate, oid: string): Buffer | undefined {
  return certificate.extensions.get(oid)?.value;
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
