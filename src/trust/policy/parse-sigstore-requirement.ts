// SPDX-License-Identifier: Apache-2.0
import type { JsonCursor } from './json-cursor.ts';
import {
  isEmptyKeySource,
  type KeySourceFields,
  parseKeySource,
  requireKeySource,
} from './parse-key-source.ts';
import { parseKeyless } from './parse-keyless.ts';
import { parseSignedIdentity } from './parse-signed-identity.ts';
import { parseSignedManifest, signedManifestKeys } from './parse-signed-manifest.ts';
import type { FulcioTrust, KeySource, PkiTrust, SigstoreSignedRequirement } from './requirement.ts';

export const KEYS: KeySourceFields = [
  ['keyPath', 'path'],
  ['keyPaths', 'paths'],
  ['keyData', 'data'],
  ['keyDatas', 'datas'],
];
export const REKOR_KEYS: KeySourceFields = [
  ['rekorPublicKeyPath', 'path'],
  ['rekorPublicKeyPaths', 'paths'],
  ['rekorPublicKeyData', 'data'],
  ['rekorPublicKeyDatas', 'datas'],
];

/** @throws TrustError INVALID_POLICY */
export function parseSigstoreSigned(cursor: JsonCursor): SigstoreSignedRequirement {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    'type',
    ...KEYS.map(([name]) => name),
    'fulcio',
    'pki',
    ...REKOR_KEYS.map(([name]) => name),
    'signedIdentity',
    ...(cursor.dialect === 'trust.d' ? ['keyless'] : []),
    ...signedManifestKeys(cursor),
  ]);
  const trust = parseTrust(cursor, members);
  const rekorKeys = filled(cursor, parseKeySource(cursor, members, REKOR_KEYS), 'rekorPublicKey…');
  if (trust.kind === 'fulcio' && rekorKeys === undefined)
    cursor.fail('fulcio needs a rekorPublicKeyPath, …Paths, …Data or …Datas');
  if ((trust.kind === 'pki' || trust.kind === 'keyless') && rekorKeys !== undefined)
    cursor.fail(`rekorPublicKeyPath, …Paths, …Data and …Datas cannot be used with ${trust.kind}`);
  const identity = members.get('signedIdentity');
  return {
    type: 'sigstoreSigned',
    trust,
    rekorKeys,
    signedIdentity:
      identity === undefined ? { type: 'matchRepoDigestOrExact' } : parseSignedIdentity(identity),
    signedManifest: parseSignedManifest(members),
  };
}

function parseTrust(
  cursor: JsonCursor,
  members: ReadonlyMap<string, JsonCursor>,
): SigstoreSignedRequirement['trust'] {
  const keys = filled(cursor, parseKeySource(cursor, members, KEYS), 'keyPaths or keyDatas');
  const fulcio = members.get('fulcio');
  const pki = members.get('pki');
  const keyless = members.get('keyless');
  const trusts = [
    ...(keys === undefined ? [] : [{ kind: 'keys' as const, keys }]),
    ...(fulcio === undefined ? [] : [parseFulcio(fulcio)]),
    ...(pki === undefined ? [] : [parsePki(pki)]),
    ...(keyless === undefined ? [] : [parseKeyless(keyless)]),
  ];
  const [trust] = trusts;
  return trust === undefined || trusts.length > 1
    ? cursor.fail(
        `exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio${cursor.dialect === 'trust.d' ? ', pki and keyless' : ' and pki'} must be given`,
      )
    : trust;
}

function parseFulcio(cursor: JsonCursor): FulcioTrust {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    'caPath',
    'caData',
    'oidcIssuer',
    'subjectEmail',
  ]);
  const ca = requireKeySource(cursor, members, [
    ['caPath', 'path'],
    ['caData', 'data'],
  ]);
  return {
    kind: 'fulcio',
    ca,
    oidcIssuer: members.get('oidcIssuer')?.nonEmptyString() ?? cursor.fail('oidcIssuer is missing'),
    subjectEmail:
      members.get('subjectEmail')?.nonEmptyString() ?? cursor.fail('subjectEmail is missing'),
  };
}

function parsePki(cursor: JsonCursor): PkiTrust {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    'caRootsPath',
    'caRootsData',
    'caIntermediatesPath',
    'caIntermediatesData',
    'subjectEmail',
    'subjectHostname',
  ]);
  const caRoots = requireKeySource(cursor, members, [
    ['caRootsPath', 'path'],
    ['caRootsData', 'data'],
  ]);
  const caIntermediates = parseKeySource(cursor, members, [
    ['caIntermediatesPath', 'path'],
    ['caIntermediatesData', 'data'],
  ]);
  const subjectEmail = members.get('subjectEmail')?.nonEmptyString();
  const subjectHostname = members.get('subjectHostname')?.nonEmptyString();
  if (subjectEmail === undefined && subjectHostname === undefined)
    cursor.fail('at least one of subjectEmail and subjectHostname must be given');
  return { kind: 'pki', caRoots, caIntermediates, subjectEmail, subjectHostname };
}

function filled(
  cursor: JsonCursor,
  source: KeySource | undefined,
  name: string,
): KeySource | undefined {
  if (source !== undefined && isEmptyKeySource(source)) cursor.fail(`${name} has no entries`);
  return source;
}
