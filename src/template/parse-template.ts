// SPDX-License-Identifier: Apache-2.0
import { type ByteString, byteString } from '../base/byte-string.ts';
import { printable, quote } from '../base/printable.ts';
import { TemplateError } from './template-error.ts';

/** A template of an image, split at its variables. */
export interface Template {
  /** Names the template in messages: `exports/service.template`. */
  readonly what: string;
  readonly parts: readonly TemplatePart[];
}

export type TemplatePart = TemplateText | TemplateVariable;

export interface TemplateText {
  readonly kind: 'text';
  /** Never empty. Templates need not be UTF-8: their bytes come out as they went in. */
  readonly bytes: ByteString;
}

export interface TemplateVariable {
  readonly kind: 'variable';
  readonly name: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

const NAME = '[_a-zA-Z][_a-zA-Z0-9]*';
const IS_NAME = new RegExp(`^${NAME}$`);
const PLACEHOLDER = new RegExp(`\\$(?:(\\$)|(${NAME})|\\{(${NAME})\\}|)`, 'g');

/** True for `[_a-zA-Z][_a-zA-Z0-9]*`: what can stand behind the `$`. */
export function isVariableName(text: string): boolean {
  return IS_NAME.test(text);
}

/**
 * Reads a template: `$NAME` and `${NAME}` are variables, `$$` is a dollar sign.
 *
 * @throws TemplateError INVALID_TEMPLATE for any other use of `$`, with file, line and column.
 */
export function parseTemplate(source: Uint8Array, what: string): Template {
  const text = byteString(Buffer.from(source.buffer, source.byteOffset, source.byteLength));
  const parts: TemplatePart[] = [];
  const counter = new PlaceCounter(text);
  let pending = '';
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    pending += text.slice(end, match.index);
    end = match.index + match[0].length;
    const name = match[2] ?? match[3];
    if (match[1] !== undefined) {
      pending += '$';
    } else if (name === undefined) {
      throw invalidPlaceholder(
        text.slice(match.index, end + 12),
        counter.placeOf(match.index),
        what,
      );
    } else {
      if (pending !== '') parts.push({ kind: 'text', bytes: pending as ByteString });
      pending = '';
      parts.push({ kind: 'variable', name, ...counter.placeOf(match.index) });
    }
  }
  pending += text.slice(end);
  if (pending !== '') parts.push({ kind: 'text', bytes: pending as ByteString });
  return { what, parts };
}

/** The names of the variables of a template, in the order of their first use. */
export function variablesOf(template: Template): ReadonlySet<string> {
  return new Set(template.parts.flatMap((part) => (part.kind === 'variable' ? [part.name] : [])));
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Counts lines and characters up to offsets that only grow, so that each byte is looked at once. */
class PlaceCounter {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #column = 1;

  constructor(text: string) {
    this.#text = text;
  }

  placeOf(offset: number): Place {
    for (; this.#offset < offset; this.#offset += 1) {
      const byte = this.#text.charCodeAt(this.#offset);
      if (byte === 0x0a) {
        this.#line += 1;
        this.#column = 1;
        // Bytes 0x80–0xBF continue a UTF-8 character.
      } else if (byte < 0x80 || byte > 0xbf) this.#column += 1;
    }
    return { line: this.#line, column: this.#column };
  }
}

function invalidPlaceholder(from: string, { line, column }: Place, what: string): TemplateError {
  const seen = from.split('\n')[0] ?? '';
  return new TemplateError(
    'INVALID_TEMPLATE',
    `${printable(what)}:${line}:${column}: ${quote(seen)} is not a variable`,
    { hint: 'write $NAME or ${NAME} for a variable, and $$ for a dollar sign' },
  );
}
