// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { JsonCursor } from './json-cursor.ts';
import { requirementType } from './requirement-type.ts';
import type { SignedIdentity } from './signed-identity.ts';

const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PREFIX = new RegExp(`^${DOMAIN}(?:/${PATH_COMPONENT})*$`);

/** @throws TrustError INVALID_POLICY */
export function parseSignedIdentity(cursor: JsonCursor): SignedIdentity {
  const type = requirementType(cursor);
  switch (type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      cursor.closedObject(['type']);
      return { type };
    case 'matchDigest':
      if (cursor.dialect !== 'trust.d')
        return cursor.fail('matchDigest is known only in trust.d: write the requirement there');
      cursor.closedObject(['type']);
      return { type };
    case 'exactReference': {
      const dockerReference = required(cursor, 'dockerReference');
      const { tag, digest } = reference(dockerReference);
      if (tag === undefined && digest === undefined)
        dockerReference.fail(`${quote(dockerReference.string())} has neither tag nor digest`);
      return { type, dockerReference: dockerReference.string() };
    }
    case 'exactRepository': {
      const dockerRepository = required(cursor, 'dockerRepository');
      reference(dockerRepository);
      return { type, dockerRepository: dockerRepository.string() };
    }
    case 'remapIdentity': {
      const members = cursor.closedObject(['type', 'prefix', 'signedPrefix']);
      return {
        type,
        prefix: prefix(cursor, members.get('prefix'), 'prefix'),
        signedPrefix: prefix(cursor, members.get('signedPrefix'), 'signedPrefix'),
      };
    }
    default:
      return cursor.fail(`unknown type ${quote(type)} of signed identity`);
  }
}

function required(cursor: JsonCursor, key: string): JsonCursor {
  return cursor.closedObject(['type', key]).get(key) ?? cursor.fail(`${key} is missing`);
}

function reference(cursor: JsonCursor): Reference {
  const text = cursor.string();
  try {
    return parseReference(text);
  } catch (error) {
    return cursor.fail(messageOf(error));
  }
}

function prefix(owner: JsonCursor, cursor: JsonCursor | undefined, key: string): string {
  if (cursor === undefined) return owner.fail(`${key} is missing`);
  const text = cursor.string();
  return PREFIX.test(text)
    ? text
    : cursor.fail(`${quote(text)} is not HOST[:PORT] or HOST[:PORT]/PATH without tag and digest`);
}
