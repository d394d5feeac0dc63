// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from './strict-json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Whether an object of a JSON text has a key twice, so that of two readers each may have seen another value. For
 * texts of megabytes, of which {@link ./strict-json.ts} would make too many nodes: it counts the colons.
 *
 * @param value what the text was parsed to.
 */
export function hasRepeatedKeys(text: string, value: JsonValue): boolean {
  return colonsOf(text) !== keysOf(value);
}

/** Those that stand between a key and a value. */
function colonsOf(text: string): number {
  let count = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) isInString = !isInString;
    else if (isInString && code === BACKSLASH) at += 1;
    else if (!isInString && code === COLON) count += 1;
  }
  return count;
}

// Without recursion: a text may nest deeper than a stack is high.
function keysOf(value: JsonValue): number {
  let count = 0;
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const values: readonly JsonValue[] = Object.values(next);
    if (isJsonObject(next)) count += values.length;
    for (const inner of values) open.push(inner);
  }
  return count;
}
