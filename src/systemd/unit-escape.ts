// SPDX-License-Identifier: Apache-2.0
// Names of units, systemd.unit(5) §String Escaping for Inclusion in Unit Names; the same answers as systemd-escape(1).
import { quote } from '../base/printable.ts';
import { UnitError } from './unit-error.ts';

/** systemd's UNIT_NAME_MAX without the terminating NUL. */
export const MAX_UNIT_NAME = 255;

/** `systemd-escape TEXT`: `/` becomes `-`, every byte but `[A-Za-z0-9:_.]` becomes `\xNN`, also a leading dot. */
export function escapeUnitName(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      if (character === '/') return '-';
      const plain = /[A-Za-z0-9:_.]/.test(character) && !(index === 0 && character === '.');
      return plain ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/**
 * `systemd-escape --unescape TEXT`.
 * @throws UnitError UNIT_NAME when a backslash does not start `\xNN`, or the bytes are not UTF-8.
 */
export function unescapeUnitName(text: string): string {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '\\') {
      const hex = /^x([0-9a-fA-F]{2})/.exec(text.slice(index + 1))?.[1];
      if (hex === undefined || hex === '00') throw notEscaped(text);
      bytes.push(Number.parseInt(hex, 16));
      index += 3;
    } else if (/[\w:.@-]/.test(character)) {
      bytes.push(character === '-' ? 0x2f : character.charCodeAt(0));
    } else throw notEscaped(text);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes));
  } catch (cause) {
    throw notEscaped(text, cause);
  }
}

/**
 * `systemd-escape --path PATH`, for absolute paths.
 * @throws UnitError UNIT_VALUE for a path that is not absolute or has a `..`.
 */
export function escapeUnitPath(path: string): string {
  const components = path.split('/').filter((part) => part !== '' && part !== '.');
  if (!path.startsWith('/') || components.includes('..') || path.includes('\0')) {
    throw new UnitError('UNIT_VALUE', `path ${quote(path)} is not absolute and plain`);
  }
  return components.length === 0 ? '-' : escapeUnitName(components.join('/'));
}

/** `systemd-escape --unescape --path TEXT`. @throws UnitError UNIT_NAME */
export function unescapeUnitPath(text: string): string {
  if (text === '-') return '/';
  const path = unescapeUnitName(text);
  const plain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!plain) throw notEscaped(text);
  return `/${path}`;
}

/**
 * The name that systemd gives the mount unit of a mount point: `/run/a-b` → `run-a\x2db.mount`.
 * @throws UnitError UNIT_VALUE for a path that is not absolute and plain, or too long to be a unit's name.
 */
export function unitNameForMount(path: string): string {
  const name = `${escapeUnitPath(path)}.mount`;
  if (name.length <= MAX_UNIT_NAME) return name;
  throw new UnitError('UNIT_VALUE', `path ${quote(path)} is too long for a mount unit's name`);
}

function notEscaped(text: string, cause?: unknown): UnitError {
  return new UnitError('UNIT_NAME', `${quote(text)} is not an escaped unit name`, { cause });
}
