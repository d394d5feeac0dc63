// SPDX-License-Identifier: Apache-2.0

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * RFC 4648 §4 base64 with its padding; line breaks inside are ignored, as in Go's StdEncoding, and
 * every other stray character makes it undefined (`Buffer.from` would skip over it).
 */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replace(/[\r\n]/g, '');
  return BASE64.test(joined) ? Buffer.from(joined, 'base64') : undefined;
}
