// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';

/** What a tmpfiles.d(5) line is about. */
export interface TmpfilesLine {
  /** `d`, `L+`, … */
  readonly type: string;
  /** Normalised; may have wildcards. */
  readonly path: string;
}

// Those with one value on every host, for root (tmpfiles.d(5) §Specifiers); the others stay.
const SPECIFIERS: ReadonlyMap<string, string> = new Map([
  ['%%', '%'],
  ['%C', '/var/cache'],
  ['%h', '/root'],
  ['%L', '/var/log'],
  ['%S', '/var/lib'],
  ['%t', '/run'],
  ['%T', '/tmp'],
  ['%u', 'root'],
  ['%U', '0'],
  ['%g', 'root'],
  ['%G', '0'],
  ['%V', '/var/tmp'],
]);

/** The types and paths of a tmpfiles.d(5) file's lines; comments and lines without an absolute path are left out. */
export function tmpfilesLines(text: string): readonly TmpfilesLine[] {
  return text.split(/[\n\r]/).flatMap((line) => {
    const [type = '', quoted = ''] = line.match(FIELD) ?? [];
    const path = unquoted(quoted).replace(
      /%./g,
      (specifier) => SPECIFIERS.get(specifier) ?? specifier,
    );
    if (type === '' || type.startsWith('#') || !path.startsWith('/')) return [];
    return [{ type: unquoted(type), path: posix.normalize(path).replace(/(?<=.)\/+$/, '') }];
  });
}

const FIELD = /(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[^\s"'\\])+/g;

// Quotes may begin anywhere in a field; escapes are those of C.
function unquoted(field: string): string {
  return field.replace(
    /\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))|["']/g,
    (_, hex, octal, plain) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(String(hex), 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(String(octal), 8));
      return plain === undefined ? '' : String(plain);
    },
  );
}
