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
  let pending = '';
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    pending += text.slice(end, match.index);
    end = match.index + match[0].length;
    const name = match[2] ?? match[3];
    if (match[1] !== undefined) {
      pending += '$';
    } else if (name === undefined) {
      throw invalidPlaceholder(text, match.index, what);
    } else {
      if (pending !== '') parts.push({ kind: 'text', bytes: pending as ByteString });
      pending = '';
      parts.push({ kind: 'variable', name, ...placeOf(text, match.index) });
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

function placeOf(text: string, offset: number): { line: number; column: number } {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const before = text.slice(lineStart, offset);
  return {
    line: countOf(text.slice(0, lineStart), /\n/g) + 1,
    // Bytes 0x80–0xBF continue a UTF-8 character.
    column: before.length - countOf(before, /[\u0080-\u00bf]/g) + 1,
  };
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function invalidPlaceholder(text: string, offset: number, what: string): TemplateError {
  const { line, column } = placeOf(text, offset);
  const seen = text.slice(offset, offset + 12).split('\n')[0] ?? '';
  return new TemplateError(
    'INVALID_TEMPLATE',
    `${printable(what)}:${line}:${column}: ${quote(seen)} is not a variable`,
    { hint: 'write $NAME or ${NAME} for a variable, and $$ for a dollar sign' },
  );
}
