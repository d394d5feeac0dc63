// SPDX-License-Identifier: Apache-2.0
// Unit files, systemd.syntax(7). Parsing gives what systemd reads: lines continued by a backslash are
// one value, repeated keys stay apart and in order, also when a section comes twice. Comments between
// directives are kept; those inside a continued value go, as systemd drops them.
//
// parseUnit(printUnit(file)) is `file` again, and printUnit refuses what would not be.
import { printable, quote } from '../base/printable.ts';
import { UnitError } from './unit-error.ts';

export interface UnitFile {
  /** Comment lines above the first section, each with its `#` or `;`. */
  readonly head: readonly string[];
  readonly sections: readonly UnitSection[];
}

export interface UnitSection {
  /** Without the brackets. */
  readonly name: string;
  readonly entries: readonly UnitEntry[];
}

export type UnitEntry = UnitDirective | UnitComment;

export interface UnitDirective {
  readonly kind: 'directive';
  readonly key: string;
  /** One logical line, in systemd's own syntax: quotes, `%` and backslashes as they stand. */
  readonly value: string;
}

export interface UnitComment {
  readonly kind: 'comment';
  /** The line, with its `#` or `;`. */
  readonly text: string;
}

/** A section of directives, in order; for units that we make ourselves. */
export function unitSection(
  name: string,
  directives: readonly (readonly [key: string, value: string])[],
): UnitSection {
  return {
    name,
    entries: directives.map(([key, value]) => ({ kind: 'directive', key, value })),
  };
}

/**
 * All values of `section.key`, in order, across repeated sections; an empty assignment is one of
 * them (most keys take it as “forget what came before”).
 */
export function unitValues(file: UnitFile, section: string, key: string): readonly string[] {
  return file.sections
    .filter(({ name }) => name === section)
    .flatMap(({ entries }) => entries)
    .flatMap((entry) => (entry.kind === 'directive' && entry.key === key ? [entry.value] : []));
}

/**
 * Reads a unit file. Blank lines are dropped; line ends may be `\n` or `\r\n`.
 *
 * @param what names the file in messages.
 * @throws UnitError INVALID_UNIT_FILE, with the line, for lines that systemd would complain about and ignore.
 */
export function parseUnit(text: string, what: string): UnitFile {
  const head: string[] = [];
  const sections: { name: string; entries: UnitEntry[] }[] = [];
  for (const { line, content } of logicalLines(text.replace(/^\ufeff/, ''), what)) {
    const section = sections.at(-1);
    const invalid = (reason: string): UnitError =>
      new UnitError('INVALID_UNIT_FILE', `${printable(what)}:${line}: ${quote(content)} ${reason}`);
    if (/^[#;]/.test(content)) {
      if (section === undefined) head.push(content);
      else section.entries.push({ kind: 'comment', text: content });
    } else if (content.startsWith('[')) {
      if (!SECTION.test(content)) throw invalid('is not a section header');
      sections.push({ name: content.slice(1, -1), entries: [] });
    } else {
      const equals = content.indexOf('=');
      if (equals <= 0) throw invalid('is neither a section header nor KEY=VALUE');
      if (section === undefined) throw invalid('stands before any section header');
      section.entries.push({
        kind: 'directive',
        key: strip(content.slice(0, equals)),
        value: strip(content.slice(equals + 1)),
      });
    }
  }
  return { head, sections };
}

/**
 * Writes a unit file, each directive on one line, a blank line between sections.
 *
 * @throws UnitError UNIT_VALUE for names, keys, values and comments that would not be read back as they are.
 */
export function printUnit(file: UnitFile): string {
  const sections = file.sections.map(({ name, entries }) => {
    const header = `[${name}]`;
    if (!SECTION.test(header)) throw unprintable('section name', name);
    return [header, ...entries.map(printEntry)];
  });
  const blocks = file.head.length === 0 ? sections : [file.head.map(printComment), ...sections];
  return blocks.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

const SECTION = /^\[[^[\]\u0000-\u001f\u007f]+\]$/;
const KEY = /^[^\s=#;[\u0000-\u001f\u007f]([^=\u0000-\u001f\u007f]*[^\s=\u0000-\u001f\u007f])?$/;

function printEntry(entry: UnitEntry): string {
  if (entry.kind === 'comment') return printComment(entry.text);
  const { key, value } = entry;
  if (!KEY.test(key)) throw unprintable('key', key);
  if (value !== strip(value) || /[\n\r\0]/.test(value)) {
    throw unprintable(`value of ${printable(key)}=`, value);
  }
  // Behind a backslash the line would go on; white space at its end is stripped when it is read.
  return `${key}=${value}${endsInBackslash(value) ? ' ' : ''}`;
}

function printComment(text: string): string {
  if (!/^[#;]/.test(text) || text !== strip(text) || /[\n\r\0]/.test(text)) {
    throw unprintable('comment', text);
  }
  return text;
}

interface LogicalLine {
  /** Of its first physical line, from 1. */
  readonly line: number;
  /** Stripped, never empty. */
  readonly content: string;
}

/** As systemd's config_parse(): a backslash at the end joins the next line by a space; comments do not continue. */
function* logicalLines(text: string, what: string): Generator<LogicalLine, void, undefined> {
  if (text.includes('\0')) {
    throw new UnitError('INVALID_UNIT_FILE', `${printable(what)}: has a NUL byte`);
  }
  let continued = '';
  let startLine = 0;
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const stripped = strip(raw);
    if (/^[#;]/.test(stripped)) {
      if (startLine === 0) yield { line: index + 1, content: stripped };
      continue;
    }
    if (startLine === 0) startLine = index + 1;
    continued += raw;
    if (endsInBackslash(continued)) {
      continued = `${continued.slice(0, -1)} `;
      continue;
    }
    if (strip(continued) !== '') yield { line: startLine, content: strip(continued) };
    continued = '';
    startLine = 0;
  }
  if (strip(continued) !== '') yield { line: startLine, content: strip(continued) };
}

/** True when the last backslash is not itself escaped by one before it. */
function endsInBackslash(text: string): boolean {
  return (/\\*$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}

// Not trim(): systemd's white space is ASCII.
function strip(text: string): string {
  return text.replace(/^[ \t\n\r]+|[ \t\n\r]+$/g, '');
}

function unprintable(kind: string, text: string): UnitError {
  return new UnitError('UNIT_VALUE', `${kind} ${quote(text)} cannot be written into a unit file`);
}
