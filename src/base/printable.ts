// SPDX-License-Identifier: Apache-2.0

// C0, DEL, C1, line and paragraph separators, bidirectional overrides: what could move a
// terminal's cursor, end a journal line, or make a name read as another one.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const MAX_QUOTED = 200;

/** `text` with every control and direction character written as `\xNN` or `\uNNNN`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** {@link printable} of each line: line feeds and tabs stay, for texts of several lines. */
export function printableLines(text: string): string {
  return text.replace(/[^\n\t]+/g, printable);
}

/** JSON text, its control and direction characters written as JSON's own `\uNNNN`: the same values, harmless to read. */
export function printableJson(json: string): string {
  return json.replace(/[^\n\t]+/g, (line) =>
    line.replace(
      UNSAFE,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}

/** `text` in double quotes, printable and cut to a line's length: for values from outside in messages. */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return `"${printable(cut).replaceAll('"', '\\"')}"`;
}

/** A URL fit for messages: user, password, query and fragment removed (they carry credentials and signatures). */
export function redactUrl(url: string | URL): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : url;
  if (parsed === null) return quote(String(url));
  return printable(`${parsed.protocol}//${parsed.host}${parsed.pathname}`);
}
