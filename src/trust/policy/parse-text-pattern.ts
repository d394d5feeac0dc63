// SPDX-License-Identifier: Apache-2.0
import type { JsonCursor } from './json-cursor.ts';
import { matchesEverything, type TextPattern } from './text-pattern.ts';

/** The keys that say what a text must be: `name` exactly, or `namePattern`. */
export function patternKeys(name: string): readonly string[] {
  return [name, `${name}Pattern`];
}

/**
 * What `owner` says of a text; undefined when it says nothing.
 * @throws TrustError INVALID_POLICY when it says two things, or what every text fits
 */
export function parseTextPattern(
  owner: JsonCursor,
  members: ReadonlyMap<string, JsonCursor>,
  name: string,
): TextPattern | undefined {
  const exact = members.get(name);
  const pattern = members.get(`${name}Pattern`);
  if (exact !== undefined && pattern !== undefined)
    return owner.fail(`at most one of ${name} and ${name}Pattern is allowed`);
  if (exact !== undefined) return { kind: 'exact', text: exact.nonEmptyString() };
  if (pattern === undefined) return undefined;
  const glob = pattern.nonEmptyString();
  if (matchesEverything(glob)) return pattern.fail('fits everything, so that it asks for nothing');
  return { kind: 'glob', glob };
}
