// SPDX-License-Identifier: Apache-2.0
import { type Node, parseTree, printParseErrorCode, visit } from 'jsonc-parser';
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
const OPTIONS = { disallowComments: true, allowTrailingComma: false } as const;

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
  const value = readValue(text, what, mayRepeatKeys);
  // A tree of nodes takes a hundred times the text: it is made for messages, and not of what strangers send.
  let tree: Node | undefined;
  const placeOf = (path: JsonPath): JsonPlace => {
    tree ??= parseTree(text, [], OPTIONS);
    return placeAt(text, tree === undefined ? 0 : nodeAt(tree, path).offset);
  };
  return { value, placeOf };
}

/** As {@link parseStrictJson}, for callers that need only the value. */
export function parseStrictJsonValue(text: string, what: string): JsonValue {
  return parseStrictJson(text, what).value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type OpenValue = JsonValue[] | { [key: string]: JsonValue };

function readValue(
  text: string,
  what: string,
  mayRepeatKeys: (path: JsonPath) => boolean,
): JsonValue {
  const fail = (offset: number, reason: string) => invalid(what, placeAt(text, offset), reason);
  // The values that are not closed yet, from the root down, and of objects the key that is being read.
  const open: { readonly value: OpenValue; key: string }[] = [];
  let root: JsonValue | undefined;
  const put = (value: JsonValue): void => {
    const parent = open.at(-1);
    if (parent === undefined) root = value;
    else if (Array.isArray(parent.value)) parent.value.push(value);
    else parent.value[parent.key] = value;
  };
  const begin = (value: OpenValue, offset: number): void => {
    // jsonc-parser recurses per level: what is too deep must not be gone into.
    if (open.length >= MAX_DEPTH) throw fail(offset, `nested deeper than ${MAX_DEPTH} levels`);
    put(value);
    open.push({ value, key: '' });
  };
  const end = (): void => void open.pop();
  visit(
    text,
    {
      onObjectBegin: (offset) => begin(Object.create(null) as OpenValue, offset),
      onObjectProperty: (key, offset, _length, _line, _character, pathOf) => {
        const parent = open.at(-1);
        if (parent === undefined) return;
        if (key in parent.value && !mayRepeatKeys(pathOf()))
          throw fail(offset, `duplicate key ${quote(key)}`);
        parent.key = key;
      },
      onObjectEnd: end,
      onArrayBegin: (offset) => begin([], offset),
      onArrayEnd: end,
      onLiteralValue: (value: string | number | boolean | null, offset) => {
        if (typeof value === 'number' && !Number.isFinite(value))
          throw fail(offset, 'number out of range');
        put(value);
      },
      onError: (code, offset) => {
        const seen = text.trim() === '' ? 'is empty' : words(printParseErrorCode(code));
        throw fail(text.trim() === '' ? 0 : offset, seen);
      },
    },
    OPTIONS,
  );
  if (root === undefined) throw fail(0, 'is empty');
  return root;
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
