// SPDX-License-Identifier: Apache-2.0
import { decodeCanonicalBase64 } from './canonical-base64.ts';

export interface PemBlock {
  /** `PUBLIC KEY`, `CERTIFICATE` … */
  readonly label: string;
  readonly der: Buffer;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([A-Za-z0-9+/=\r\n]*?)-----END \1-----/g;

/**
 * The PEM blocks (RFC 7468) of a text, in order; what stands around them is passed over, as tools write explanations there.
 * @returns undefined when a block is not base64
 */
export function readPemBlocks(text: string): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    const der = decodeCanonicalBase64(body);
    if (der === undefined || der.length === 0) return undefined;
    blocks.push({ label, der });
  }
  return blocks;
}

/**
 * As {@link readPemBlocks}, for texts that somebody unknown wrote: nothing but white space may stand around the
 * blocks, so that no two readers see different things in it.
 * @returns undefined for anything else
 */
export function readOnlyPemBlocks(text: string): readonly PemBlock[] | undefined {
  return text.replace(BLOCK, '').trim() === '' ? readPemBlocks(text) : undefined;
}
