// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '../policy/strict-base64.ts';

/**
 * As {@link decodeBase64}, and the unused bits of the last character must be zero: there is then only one text
 * for the same bytes, but for its line breaks.
 */
export function decodeCanonicalBase64(text: string): Buffer | undefined {
  const bytes = decodeBase64(text);
  return bytes?.toString('base64') === text.replace(/[\r\n]/g, '') ? bytes : undefined;
}
