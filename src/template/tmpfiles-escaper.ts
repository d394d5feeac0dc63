// SPDX-License-Identifier: Apache-2.0
import { type EscapedValue, type Escaper, escaped, refused } from './escaper.ts';

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const ARGUMENT_FIELD = 6;
// tmpfiles.d(5): the types whose argument is one text that systemd unescapes C-style.
const TEXT_ARGUMENT = /^[CLfFw]/;

/**
 * For tmpfiles.d(5) lines: a value is part of the one field it stands in, whatever spaces and quotes
 * it has, and starts no specifier (`%` is doubled). Line breaks and other control characters are refused.
 */
export function tmpfilesEscaper(): Escaper {
  let line = '';
  const advance = (text: string): void => {
    line = `${line}${text}`.split('\n').at(-1) ?? '';
  };
  return {
    pass: advance,
    escape(_name, value): EscapedValue {
      const result = isTextArgument(line) ? escapeArgument(value) : escapeTmpfilesField(value);
      if (result.kind === 'escaped') advance(result.text);
      return result;
    },
  };
}

/** A text as (part of) one of the first six fields of a line. */
export function escapeTmpfilesField(value: string): EscapedValue {
  return refusal(value) ?? escaped(doublePercent(value.replace(/[\s"'\\]/g, '\\$&')));
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

function isTextArgument(lineSoFar: string): boolean {
  const { fields, inField } = splitFields(lineSoFar);
  const index = inField ? fields.length - 1 : fields.length;
  return index >= ARGUMENT_FIELD && TEXT_ARGUMENT.test(fields[0] ?? '');
}

/** The fields of an unfinished line as systemd splits it: at spaces outside quotes that no backslash precedes. */
function splitFields(line: string): { fields: readonly string[]; inField: boolean } {
  const fields: string[] = [];
  let inField = false;
  let quote = '';
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? '';
    if (quote === '' && /\s/.test(character)) {
      inField = false;
      continue;
    }
    if (!inField) fields.push('');
    inField = true;
    if (character === '\\') index += 1;
    else if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    fields.push(`${fields.pop() ?? ''}${character}`);
  }
  return { fields, inField };
}
