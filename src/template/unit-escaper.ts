// SPDX-License-Identifier: Apache-2.0
import { type EscapedValue, type Escaper, escaped, refused } from './escaper.ts';

// All of C0 but the tab, and DEL: a line feed or carriage return would start a directive of its own.
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * For unit files. A value is a piece of the line it stands in: words and quotes in it count as if the
 * image's author had written them there. It cannot end the line, swallow the next one (by a backslash
 * at its end), or start a specifier (`%` is doubled).
 *
 * A `%` at the very end of a line stays single: systemd reads it as itself there, and directives that
 * know percentages but no specifiers (`CPUQuota=20%`) need it so.
 *
 * @param verbatim names of variables whose values are unit file text already.
 */
export function unitEscaper(verbatim: ReadonlySet<string>): Escaper {
  return {
    pass: () => {},
    escape(name, value, following): EscapedValue {
      if (CONTROL.test(value)) return refused('has a control character, which a unit file cannot');
      if (!value.isWellFormed()) return refused('is not valid Unicode');
      if (value.endsWith('\\')) return refused('ends in a backslash');
      if (verbatim.has(name)) return escaped(value);
      const endsLine = following !== undefined && /^[ \t]*(?:\r?\n|$)/.test(following);
      return escaped(
        endsLine && value.endsWith('%')
          ? `${doublePercent(value.slice(0, -1))}%`
          : doublePercent(value),
      );
    },
  };
}

function doublePercent(text: string): string {
  return text.replaceAll('%', '%%');
}
