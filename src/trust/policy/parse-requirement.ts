// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { JsonCursor } from './json-cursor.ts';
import { isEmptyKeySource, requireKeySource } from './parse-key-source.ts';
import { parseSignedIdentity } from './parse-signed-identity.ts';
import { parseSignedManifest, signedManifestKeys } from './parse-signed-manifest.ts';
import { parseSigstoreSigned } from './parse-sigstore-requirement.ts';
import type { KeyType, Requirement, SignedByRequirement } from './requirement.ts';
import { requirementType } from './requirement-type.ts';

const KEY_TYPES: readonly KeyType[] = [
  'GPGKeys',
  'signedByGPGKeys',
  'X509Certificates',
  'signedByX509CAs',
];

/** @throws TrustError INVALID_POLICY */
export function parseRequirement(cursor: JsonCursor): Requirement {
  const type = requirementType(cursor);
  switch (type) {
    case 'insecureAcceptAnything':
    case 'reject':
      cursor.closedObject(['type']);
      return { type };
    case 'signedBy':
      return parseSignedBy(cursor);
    case 'sigstoreSigned':
      return parseSigstoreSigned(cursor);
    case 'signedBaseLayer': {
      const members = cursor.closedObject(['type', 'baseLayerIdentity']);
      const identity = members.get('baseLayerIdentity');
      return {
        type,
        baseLayerIdentity: parseSignedIdentity(
          identity ?? cursor.fail('baseLayerIdentity is missing'),
        ),
      };
    }
    case 'anyOf':
    case 'attested':
    case 'noDowngrade':
    case 'signedWithin':
      return cursor.fail(`${type} is known only in trust.d: write the requirement there`);
    default:
      return cursor.fail(`unknown requirement type ${quote(type)}`);
  }
}

/** @throws TrustError INVALID_POLICY */
export function parseSignedBy(cursor: JsonCursor): SignedByRequirement {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    'type',
    'keyType',
    'keyPath',
    'keyPaths',
    'keyData',
    'signedIdentity',
    ...signedManifestKeys(cursor),
  ]);
  const keyType = members.get('keyType') ?? cursor.fail('keyType is missing; write "GPGKeys"');
  const known = KEY_TYPES.find((name) => name === keyType.string());
  const identity = members.get('signedIdentity');
  const keys = requireKeySource(cursor, members, [
    ['keyPath', 'path'],
    ['keyPaths', 'paths'],
    ['keyData', 'data'],
  ]);
  if (cursor.dialect === 'trust.d' && isEmptyKeySource(keys))
    cursor.fail('keyPaths has no entries');
  return {
    type: 'signedBy',
    keyType: known ?? keyType.fail(`unknown keyType ${quote(keyType.string())}`),
    keys,
    signedIdentity:
      identity === undefined ? { type: 'matchRepoDigestOrExact' } : parseSignedIdentity(identity),
    signedManifest: parseSignedManifest(members),
  };
}
