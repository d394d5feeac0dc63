// SPDX-License-Identifier: Apache-2.0
import {
  createScanner,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { quote } from './printable.ts';
import { SysctError } from './sysct-error.ts';

export class InvalidJsonError extends SysctError<'INVALID_JSON'> {}

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export type JsonObject = { readonly [key: string]: JsonValue };

/** Where a value stands: `file:line:column` and the path from the root, for messages. */
export interface JsonPlace {
  readonly line: number;
  readonly column: number;
}

/** Keys and list positions from the root of a document to a value. */
export type JsonPath = readonly (string | number)[];

/** A parsed document that still knows where each of its values stood. */
export interface JsonDocument {
  readonly value: JsonValue;
  /** The place of the value (or of the nearest parent that exists) at `path`. */
  placeOf(path: JsonPath): JsonPlace;
}

const MAX_DEPTH = 128;

// jsonc-parser's SyntaxKind, an ambient const enum that cannot be imported as a value.
const TOKEN = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, end: 17 } as const;

/**
 * Parses RFC 8259 JSON and nothing else: no comments, trailing commas, trailing data, byte order
 * mark, or NaN; a key given twice in one object (also when written with escapes) is an error, since
 * a signer and a verifier may disagree on which one counts. Objects have no prototype.
 *
 * @param what names the document in messages, for example a file's path.
 * @param mayRepeatKeys for the one format that leaves a part of itself open: true for the path of an
 *   object whose keys may repeat (the last one counts).
 * @throws InvalidJsonError `what:line:column: …`
 */
export function parseStrictJson(
  text: string,
  what: string,
  mayRepeatKeys: (path: JsonPath) => boolean = () => false,
): JsonDocument {
  const errors: ParseError[] = [];
  assertDepth(text, what);
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const first = errors[0];
  if (first !== undefined || root === undefined) {
    const place = placeAt(text, first?.offset ?? 0);
    const reason =
      text.trim() === ''
        ? 'is empty'
        : first
          ? words(printParseErrorCode(first.error))
          : 'is empty';
    throw invalid(what, place, reason);
  }
  const value = toValue(root, [], { text, what, mayRepeatKeys });
  return { value, placeOf: (path) => placeAt(text, nodeAt(root, path).offset) };
}

/** As {@link parseStrictJson}, for callers that need only the value. */
export function parseStrictJsonValue(text: string, what: string): JsonValue {
  return parseStrictJson(text, what).value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// jsonc-parser recurses per level: deep input must be refused before it is parsed.
function assertDepth(text: string, what: string): void {
  let depth = 0;
  const scanner = createScanner(text, true);
  for (let token: number = scanner.scan(); token !== TOKEN.end; token = scanner.scan()) {
    if (token === TOKEN.openBrace || token === TOKEN.openBracket) depth += 1;
    else if (token === TOKEN.closeBrace || token === TOKEN.closeBracket) depth -= 1;
    if (depth > MAX_DEPTH) {
      throw invalid(
        what,
        placeAt(text, scanner.getTokenOffset()),
        `nested deeper than ${MAX_DEPTH} levels`,
      );
    }
  }
}

interface Conversion {
  readonly text: string;
  readonly what: string;
  readonly mayRepeatKeys: (path: JsonPath) => boolean;
}

function toValue(node: Node, path: JsonPath, conversion: Conversion): JsonValue {
  const { text, what } = conversion;
  switch (node.type) {
    case 'array':
      return (node.children ?? []).map((child, n) => toValue(child, [...path, n], conversion));
    case 'object': {
      const object = Object.create(null) as { [key: string]: JsonValue };
      for (const property of node.children ?? []) {
        const [key, value] = property.children ?? [];
        if (key === undefined || value === undefined) {
          throw invalid(what, placeAt(text, property.offset), 'property without a value');
        }
        const name = String(key.value);
        if (name in object && !conversion.mayRepeatKeys(path))
          throw invalid(what, placeAt(text, key.offset), `duplicate key ${quote(name)}`);
        object[name] = toValue(value, [...path, name], conversion);
      }
      return object;
    }
    case 'number':
      if (!Number.isFinite(node.value))
        throw invalid(what, placeAt(text, node.offset), 'number out of range');
      return node.value as number;
    default:
      return node.value as string | boolean | null;
  }
}

function nodeAt(root: Node, path: JsonPath): Node {
  let node = root;
  for (const step of path) {
    const next =
      typeof step === 'number'
        ? node.children?.[step]
        : node.children?.find((property) => property.children?.[0]?.value === step)?.children?.[1];
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

function placeAt(text: string, offset: number): JsonPlace {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

function invalid(what: string, place: JsonPlace, reason: string): InvalidJsonError {
  return new InvalidJsonError('INVALID_JSON', `${what}:${place.line}:${place.column}: ${reason}`);
}

function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
