// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import { CERTIFICATE_EXTENSIONS } from '../policy/certificate-extension-name.ts';
import type { CertificateIdentity } from '../policy/requirement.ts';
import { describePattern, matchesText } from '../policy/text-pattern.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { Certificate } from './certificate.ts';
import {
  type AlternativeNames,
  readAlternativeNames,
  readFulcioIssuer,
  readFulcioText,
} from './certificate-extensions.ts';

/**
 * Asserts that a certificate of Fulcio names whom the policy wants: its issuer, its one subject, and what else it must say.
 * @returns the subject and its issuer
 * @throws TrustError BAD_SIGNATURE; the message follows "a certificate that"
 */
export function assertIdentity(
  leaf: Certificate,
  { issuer: wantedIssuer, subject, extensions }: CertificateIdentity,
): { readonly name: string; readonly issuer: string } {
  const issuer = readFulcioIssuer(leaf);
  if (issuer === undefined || !matchesText(wantedIssuer, issuer))
    throw other('OIDC issuer', issuer, describePattern(wantedIssuer));
  const names = readAlternativeNames(leaf);
  // Fulcio writes one; of several, nobody could say whose signature it is.
  if (names.count !== 1) throw invalid(`names ${names.count} subjects, not one`);
  const [name] = namesOf(names, subject.kind);
  if (name === undefined || !matchesText(subject.is, name)) {
    const seen = name ?? namesOf(names, 'any')[0];
    throw other(KINDS[subject.kind], seen, describePattern(subject.is));
  }
  for (const { name: extension, is } of extensions) {
    const text = readFulcioText(leaf, CERTIFICATE_EXTENSIONS[extension]);
    if (text === undefined || !matchesText(is, text))
      throw other(extension, text, describePattern(is));
  }
  return { name, issuer };
}

const KINDS: Readonly<Record<CertificateIdentity['subject']['kind'], string>> = {
  email: 'subject (an e-mail address)',
  uri: 'subject (a URI)',
  any: 'subject',
};

function namesOf(
  { emails, uris }: AlternativeNames,
  kind: CertificateIdentity['subject']['kind'],
): readonly string[] {
  switch (kind) {
    case 'email':
      return emails;
    case 'uri':
      return uris;
    case 'any':
      return [...emails, ...uris];
    default:
      return assertNever(kind);
  }
}

function other(what: string, seen: string | undefined, wanted: string): TrustError {
  return invalid(
    `names ${seen === undefined ? `no ${what}` : `the ${what} ${quote(seen)}`}, not ${wanted}`,
  );
}

function invalid(seen: string): TrustError {
  return new TrustError('BAD_SIGNATURE', seen);
}
