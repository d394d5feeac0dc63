// SPDX-License-Identifier: Apache-2.0
import type { JsonCursor } from './json-cursor.ts';
import { isEmptyKeySource, parseKeySource } from './parse-key-source.ts';
import { parseKeyless } from './parse-keyless.ts';
import { parseSignedManifest, signedManifestKeys } from './parse-signed-manifest.ts';
import { KEYS, REKOR_KEYS } from './parse-sigstore-requirement.ts';
import { parseTextPattern, patternKeys } from './parse-text-pattern.ts';
import { isProvenance, predicateTypeOf } from './predicate-type.ts';
import type { AttestedRequirement } from './requirement.ts';

/** `attested` of trust.d. @throws TrustError INVALID_POLICY */
export function parseAttested(cursor: JsonCursor): AttestedRequirement {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    'type',
    'predicateType',
    'signer',
    ...patternKeys('builder'),
    ...patternKeys('source'),
    ...signedManifestKeys(cursor),
  ]);
  const named = members.get('predicateType') ?? cursor.fail('predicateType is missing');
  const predicateType = predicateTypeOf(named.nonEmptyString());
  if (predicateType === undefined)
    return named.fail(
      'is neither a URI nor a name that cosign gives one (slsaprovenance1, spdx …)',
    );
  const builder = parseTextPattern(cursor, members, 'builder');
  const source = parseTextPattern(cursor, members, 'source');
  if ((builder ?? source) !== undefined && !isProvenance(predicateType))
    return cursor.fail('builder and source stand only in SLSA provenance');
  const signedManifest = parseSignedManifest(members);
  const signer = members.get('signer') ?? cursor.fail('signer is missing');
  return {
    type: 'attested',
    predicateType,
    ...parseSigner(signer),
    builder,
    source,
    signedManifest,
  };
}

function parseSigner(cursor: JsonCursor): Pick<AttestedRequirement, 'signer' | 'rekorKeys'> {
  const members: ReadonlyMap<string, JsonCursor> = cursor.closedObject([
    ...KEYS.map(([name]) => name),
    ...REKOR_KEYS.map(([name]) => name),
    'keyless',
  ]);
  const keys = parseKeySource(cursor, members, KEYS);
  const rekorKeys = parseKeySource(cursor, members, REKOR_KEYS);
  const keyless = members.get('keyless');
  if ((keys === undefined) === (keyless === undefined))
    cursor.fail('exactly one of keyPath, keyPaths, keyData, keyDatas and keyless must be given');
  for (const source of [keys, rekorKeys])
    if (source !== undefined && isEmptyKeySource(source)) cursor.fail('has an empty list of keys');
  if (keyless !== undefined) {
    if (rekorKeys !== undefined) cursor.fail('the logs of keyless stand in its trusted root');
    return { signer: parseKeyless(keyless), rekorKeys: undefined };
  }
  return keys === undefined
    ? cursor.fail('has no keys')
    : { signer: { kind: 'keys', keys }, rekorKeys };
}
