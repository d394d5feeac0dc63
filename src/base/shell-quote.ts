// SPDX-License-Identifier: Apache-2.0

/** A word as a POSIX shell reads it back: in quotes only where it needs them. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
