// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import type { JsonCursor } from './json-cursor.ts';
import type { KeySource } from './requirement.ts';
import { decodeBase64 } from './strict-base64.ts';

type Form = 'path' | 'paths' | 'data' | 'datas';

/** Which keys of an object name keys or certificates, and in which form. */
export type KeySourceFields = readonly (readonly [name: string, form: Form])[];

/**
 * The one key source among the members of `owner`; undefined when there is none.
 * @throws TrustError INVALID_POLICY when there is more than one, or it is malformed
 */
export function parseKeySource(
  owner: JsonCursor,
  members: ReadonlyMap<string, JsonCursor>,
  fields: KeySourceFields,
): KeySource | undefined {
  const present = fields.filter(([name]) => members.has(name));
  if (present.length > 1) {
    const names = fields.map(([name]) => name).join(', ');
    return owner.fail(
      `at most one of ${names} is allowed; it has ${present.map(([name]) => name).join(' and ')}`,
    );
  }
  const [first] = present;
  const member = first === undefined ? undefined : members.get(first[0]);
  if (first === undefined || member === undefined) return undefined;
  switch (first[1]) {
    case 'path':
      return { kind: 'paths', paths: [member.nonEmptyString()] };
    case 'paths':
      return { kind: 'paths', paths: member.list().map((path) => path.nonEmptyString()) };
    case 'data':
      return { kind: 'data', data: [base64(member)] };
    case 'datas':
      return { kind: 'data', data: member.list().map(base64) };
    default:
      return assertNever(first[1]);
  }
}

/** As {@link parseKeySource}, where one must be there. */
export function requireKeySource(
  owner: JsonCursor,
  members: ReadonlyMap<string, JsonCursor>,
  fields: KeySourceFields,
): KeySource {
  const names = fields.map(([name]) => name).join(', ');
  return (
    parseKeySource(owner, members, fields) ?? owner.fail(`exactly one of ${names} must be given`)
  );
}

export function isEmptyKeySource(source: KeySource): boolean {
  return source.kind === 'paths' ? source.paths.length === 0 : source.data.length === 0;
}

function base64(cursor: JsonCursor): Buffer {
  return decodeBase64(cursor.string()) ?? cursor.fail('is not base64');
}
