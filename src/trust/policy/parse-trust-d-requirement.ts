// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { JsonCursor } from './json-cursor.ts';
import { parseAttested } from './parse-attested.ts';
import { parseSignedBy } from './parse-requirement.ts';
import { parseSigstoreSigned } from './parse-sigstore-requirement.ts';
import { requirementType } from './requirement-type.ts';
import type { AnyOfRequirement, Requirement, SignatureRequirement } from './requirement.ts';

/** An anyOf may stand in an anyOf, and no deeper. */
const MAX_NESTING = 2;

/** @throws TrustError INVALID_POLICY */
export function parseTrustDRequirement(cursor: JsonCursor): Requirement {
  const type = requirementType(cursor);
  switch (type) {
    case 'insecureAcceptAnything':
    case 'reject':
    case 'noDowngrade':
      cursor.closedObject(['type']);
      return { type };
    case 'signedWithin': {
      const days = cursor.closedObject(['type', 'days']).get('days');
      return { type, days: days?.count(1) ?? cursor.fail('days is missing') };
    }
    case 'signedBy':
    case 'sigstoreSigned':
      return parseSignature(cursor, type);
    case 'attested':
      return parseAttested(cursor);
    case 'anyOf':
      return parseAnyOf(cursor, 1);
    case 'signedBaseLayer':
      return cursor.fail('signedBaseLayer is implemented by no tool');
    default:
      return cursor.fail(`unknown requirement type ${quote(type)}`);
  }
}

function parseSignature(
  cursor: JsonCursor,
  type: SignatureRequirement['type'],
): SignatureRequirement {
  return type === 'signedBy' ? parseSignedBy(cursor) : parseSigstoreSigned(cursor);
}

function parseAnyOf(cursor: JsonCursor, depth: number): AnyOfRequirement {
  const members = cursor.closedObject(['type', 'min', 'requirements']);
  const list = members.get('requirements') ?? cursor.fail('requirements is missing');
  const items = list.list();
  if (items.length === 0) list.fail('must have at least one requirement');
  const min = members.get('min');
  const wanted = min?.count(1) ?? 1;
  if (wanted > items.length)
    min?.fail(`is ${wanted}, more than the ${items.length} requirements there are`);
  return {
    type: 'anyOf',
    min: wanted,
    requirements: items.map((item) => parseOne(item, wanted, depth)),
  };
}

function parseOne(
  cursor: JsonCursor,
  min: number,
  depth: number,
): SignatureRequirement | AnyOfRequirement {
  const type = requirementType(cursor);
  if (type === 'signedBy' || type === 'sigstoreSigned') return parseSignature(cursor, type);
  if (type !== 'anyOf')
    return cursor.fail(`${quote(type)} has no signer, so that it cannot be one of several`);
  if (depth >= MAX_NESTING) return cursor.fail('is nested too deeply: anyOf in anyOf in anyOf');
  const inner = parseAnyOf(cursor, depth + 1);
  // Which of its signers serve which part would be a puzzle, for people too.
  if (min > 1 && inner.min > 1)
    return cursor.fail(
      'its min must be 1, where the min around it is more; write it as a requirement of its own beside the other',
    );
  return inner;
}
