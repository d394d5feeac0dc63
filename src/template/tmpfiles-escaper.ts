// SPDX-License-Identifier: Apache-2.0
import { type EscapedValue, type Escaper, escaped, refused } from './escaper.ts';
import { TmpfilesScanner } from './tmpfiles-scanner.ts';

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * For tmpfiles.d(5) lines: a value is part of the one field it stands in, whatever spaces and quotes
 * it has, and starts no specifier (`%` is doubled). Line breaks and other control characters are refused.
 */
export function tmpfilesEscaper(): Escaper {
  const scanner = new TmpfilesScanner();
  return {
    pass: (text) => scanner.scan(text),
    escape(_name, value): EscapedValue {
      const result = scanner.isInTextArgument ? escapeArgument(value) : escapeTmpfilesField(value);
      if (result.kind === 'escaped') scanner.scan(result.text);
      return result;
    },
  };
}

/** A text as (part of) one of the first six fields of a line. */
export function escapeTmpfilesField(value: string): EscapedValue {
  return refusal(value) ?? escaped(doublePercent(value.replace(/[ \t"'\\]/g, '\\$&')));
}

function escapeArgument(value: string): EscapedValue {
  return refusal(value) ?? escaped(doublePercent(value.replaceAll('\\', '\\\\')));
}

function refusal(value: string): EscapedValue | undefined {
  if (CONTROL.test(value)) return refused('has a control character, which tmpfiles.d cannot');
  return value.isWellFormed() ? undefined : refused('is not valid Unicode');
}

function doublePercent(text: string): string {
  return text.replaceAll('%', '%%');
}
