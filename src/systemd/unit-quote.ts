// SPDX-License-Identifier: Apache-2.0
// Text of ours made fit for a directive's value, systemd.service(5) §Command Lines and systemd.exec(5)
// §Environment. systemd splits at spaces, unquotes, undoes C escapes, expands `%` and, in command
// lines, `$`; each function here writes what comes out of that as the text that went in.
import { quote } from '../base/printable.ts';
import { UnitError } from './unit-error.ts';

/** `%` doubled: for directives that take their whole value as text and expand specifiers. */
export function escapeSpecifiers(text: string): string {
  return assertWritable(text).replaceAll('%', '%%');
}

/**
 * One word of a list directive (`BindPaths=`, `Environment=`, …), quoted where it must be.
 * @throws UnitError UNIT_VALUE for NUL and broken Unicode.
 */
export function quoteUnitWord(text: string): string {
  return quoteWord(text.replaceAll('%', '%%'));
}

/**
 * One argument of an `Exec…=` line, behind the program.
 * @throws UnitError UNIT_VALUE for NUL and broken Unicode.
 */
export function quoteExecArgument(argument: string): string {
  return quoteWord(argument.replaceAll('%', '%%').replaceAll('$', '$$$$'));
}

/**
 * A whole command line: the absolute path of a program, and its arguments.
 * @throws UnitError UNIT_VALUE where systemd cannot run the program: its path is not absolute, or has
 *   quotes, backslashes, dollar signs or control characters in it.
 */
export function execLine(program: string, args: readonly string[]): string {
  if (!program.startsWith('/') || /["'\\$\u0000-\u001f\u007f]/.test(program)) {
    throw new UnitError(
      'UNIT_VALUE',
      `systemd cannot run a program with the path ${quote(program)}`,
    );
  }
  return [quoteUnitWord(program), ...args.map(quoteExecArgument)].join(' ');
}

/**
 * `NAME=VALUE` as one word of `Environment=`; `$` has no meaning there.
 * @throws UnitError UNIT_VALUE for names but `[A-Za-z_][A-Za-z0-9_]*`: systemd drops such variables.
 */
export function quoteEnvironment(name: string, value: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new UnitError('UNIT_VALUE', `systemd cannot set a variable with the name ${quote(name)}`);
  }
  return quoteUnitWord(`${name}=${value}`);
}

const PLAIN_WORD = /^[\w@%+=:,./$-]+$/;
const NEEDS_ESCAPE = /["\\\u0000-\u001f\u007f]/g;
const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function quoteWord(text: string): string {
  assertWritable(text);
  if (PLAIN_WORD.test(text)) return text;
  const body = text.replace(
    NEEDS_ESCAPE,
    (character) =>
      NAMED_ESCAPES[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${body}"`;
}

function assertWritable(text: string): string {
  if (!text.includes('\0') && text.isWellFormed()) return text;
  throw new UnitError('UNIT_VALUE', `${quote(text)} cannot be written into a unit file`);
}
