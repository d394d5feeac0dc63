// SPDX-License-Identifier: Apache-2.0

const STRANGER = /[^A-Za-z0-9+/]/;

/**
 * RFC 4648 §4 base64 with its padding; line breaks inside are ignored, as in Go's StdEncoding, and
 * every other stray character makes it undefined (`Buffer.from` would skip over it).
 */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replace(/[\r\n]/g, '');
  const digits = joined.replace(/={1,2}$/, '');
  // No expression for groups of four: of some megabytes it ends in a stack that is too small.
  const isBase64 = joined.length % 4 === 0 && !STRANGER.test(digits);
  return isBase64 ? Buffer.from(joined, 'base64') : undefined;
}
