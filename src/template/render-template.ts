// SPDX-License-Identifier: Apache-2.0
import { type ByteString, byteStringOf, bytesOf } from '../base/byte-string.ts';
import { assertNever } from '../base/assert-never.ts';
import { printable, quote } from '../base/printable.ts';
import type { Escaper } from './escaper.ts';
import { jsonEscaper } from './json-escaper.ts';
import type { Template, TemplateVariable } from './parse-template.ts';
import { TemplateError } from './template-error.ts';
import { textEscaper } from './text-escaper.ts';
import { tmpfilesEscaper } from './tmpfiles-escaper.ts';
import { unitEscaper } from './unit-escaper.ts';

/** By name. A map, so that `$constructor` is a variable without a value and nothing else. */
export type TemplateValues = ReadonlyMap<string, string>;

/** The language of the text that a template makes; it decides how values are escaped. */
export type TemplateContext =
  /** Inside a string: part of that string. Elsewhere: a balanced JSON fragment, as it is. */
  | { readonly kind: 'json' }
  /** Part of one line of systemd.syntax(7); `verbatim` names the variables whose values are unit file text already. */
  | { readonly kind: 'unit'; readonly verbatim: ReadonlySet<string> }
  /** Part of one field of a tmpfiles.d(5) line. */
  | { readonly kind: 'tmpfiles' }
  /** As it is. */
  | { readonly kind: 'text' };

/**
 * Fills in a template, in one pass: a `$X` inside a value stays what it is. Values are written as
 * UTF-8; the template's own bytes are copied.
 *
 * @throws TemplateError UNREPLACED_VALUE naming all variables without a value,
 *   UNSAFE_VALUE for a value that cannot be written in its place.
 */
export function renderTemplate(
  template: Template,
  values: TemplateValues,
  context: TemplateContext,
): Buffer {
  assertValuesComplete([template], values);
  const escaper = escaperFor(context);
  const pieces: ByteString[] = [];
  for (const [index, part] of template.parts.entries()) {
    if (part.kind === 'text') {
      escaper.pass(part.bytes);
      pieces.push(part.bytes);
      continue;
    }
    const next = template.parts[index + 1];
    const following = next?.kind === 'text' ? next.bytes : next === undefined ? '' : undefined;
    pieces.push(byteStringOf(escapeValue(escaper, template, part, values, following)));
  }
  return bytesOf(pieces.join('') as ByteString);
}

/**
 * Passes when every variable of all these templates has a value.
 *
 * @throws TemplateError UNREPLACED_VALUE that names each missing variable once, with the place of its first use.
 */
export function assertValuesComplete(templates: readonly Template[], values: TemplateValues): void {
  const missing = new Map<string, string>();
  for (const { what, parts } of templates) {
    for (const part of parts) {
      if (part.kind === 'text' || values.has(part.name) || missing.has(part.name)) continue;
      missing.set(part.name, `${printable(what)}:${part.line}:${part.column}`);
    }
  }
  if (missing.size === 0) return;
  const named = [...missing].map(([name, place]) => `'${name}' (${place})`).join(', ');
  const options = [...missing.keys()].map((name) => `--set ${name}=…`).join(' ');
  throw new TemplateError(
    'UNREPLACED_VALUE',
    `the image's templates still have an unreplaced value for: ${named}`,
    { hint: `give ${missing.size === 1 ? 'it' : 'them'} with ${options}` },
  );
}

function escaperFor(context: TemplateContext): Escaper {
  switch (context.kind) {
    case 'json':
      return jsonEscaper();
    case 'unit':
      return unitEscaper(context.verbatim);
    case 'tmpfiles':
      return tmpfilesEscaper();
    case 'text':
      return textEscaper();
    default:
      return assertNever(context);
  }
}

function escapeValue(
  escaper: Escaper,
  template: Template,
  variable: TemplateVariable,
  values: TemplateValues,
  following: string | undefined,
): string {
  const value = values.get(variable.name) ?? '';
  const escaped = escaper.escape(variable.name, value, following);
  if (escaped.kind === 'escaped') return escaped.text;
  const place = `${printable(template.what)}:${variable.line}:${variable.column}`;
  throw new TemplateError(
    'UNSAFE_VALUE',
    `${place}: the value ${quote(value)} of ${variable.name} ${escaped.reason}`,
    { hint: `give another with --set ${variable.name}=…` },
  );
}
