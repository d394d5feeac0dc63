// SPDX-License-Identifier: Apache-2.0
import {
  CERTIFICATE_EXTENSIONS,
  type CertificateExtensionName,
} from './certificate-extension-name.ts';
import type { JsonCursor } from './json-cursor.ts';
import { requireKeySource } from './parse-key-source.ts';
import { parseTextPattern, patternKeys } from './parse-text-pattern.ts';
import type { CertificateIdentity, KeylessTrust } from './requirement.ts';

const EXTENSIONS = Object.keys(CERTIFICATE_EXTENSIONS) as readonly CertificateExtensionName[];

/** `keyless` of a requirement in trust.d. @throws TrustError INVALID_POLICY */
export function parseKeyless(cursor: JsonCursor): KeylessTrust {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    'trustedRootPath',
    'trustedRootData',
    ...patternKeys('issuer'),
    'subjectEmail',
    'subjectURI',
    'subjectPattern',
    ...EXTENSIONS.flatMap(patternKeys),
  ]);
  const trustedRoot = requireKeySource(cursor, members, [
    ['trustedRootPath', 'path'],
    ['trustedRootData', 'data'],
  ]);
  const issuer =
    parseTextPattern(cursor, members, 'issuer') ??
    cursor.fail('issuer or issuerPattern must be given');
  const extensions = EXTENSIONS.flatMap((name) => {
    const is = parseTextPattern(cursor, members, name);
    return is === undefined ? [] : [{ name, is }];
  });
  const subject = parseSubject(cursor, members);
  return { kind: 'keyless', trustedRoot, identity: { issuer, subject, extensions } };
}

function parseSubject(
  cursor: JsonCursor,
  members: ReadonlyMap<string, JsonCursor>,
): CertificateIdentity['subject'] {
  const email = members.get('subjectEmail');
  const uri = members.get('subjectURI');
  const pattern = parseTextPattern(cursor, members, 'subject');
  const subjects = [
    ...(email === undefined ? [] : [{ kind: 'email' as const, is: exact(email) }]),
    ...(uri === undefined ? [] : [{ kind: 'uri' as const, is: exact(uri) }]),
    ...(pattern === undefined ? [] : [{ kind: 'any' as const, is: pattern }]),
  ];
  const [subject] = subjects;
  return subject === undefined || subjects.length > 1
    ? cursor.fail('exactly one of subjectEmail, subjectURI and subjectPattern must be given')
    : subject;
}

function exact(cursor: JsonCursor) {
  return { kind: 'exact' as const, text: cursor.nonEmptyString() };
}
