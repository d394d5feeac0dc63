// SPDX-License-Identifier: Apache-2.0

import { printable } from './printable.ts';

/**
 * Bytes as a string, one character (U+0000–U+00FF) a byte: how names, link targets and xattr keys
 * from layers are held, because they need not be UTF-8. Compares and sorts bytewise with `<`,
 * and works as a Map key. Never print one: see {@link displayBytes}.
 */
export type ByteString = string & { readonly __bytes: true };

export function byteString(bytes: Buffer): ByteString {
  return bytes.toString('latin1') as ByteString;
}

/** The bytes of ordinary text, UTF-8 encoded, as a {@link ByteString}. */
export function byteStringOf(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1') as ByteString;
}

export function bytesOf(text: ByteString): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The text as UTF-8 where the bytes are that, else bytes above ASCII as `\xNN`; control characters too. */
export function displayBytes(text: ByteString): string {
  const bytes = bytesOf(text);
  const decoded = bytes.toString('utf8');
  const source = Buffer.from(decoded, 'utf8').equals(bytes)
    ? decoded
    : text.replace(/[\u0080-\u00ff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
  return printable(source);
}
