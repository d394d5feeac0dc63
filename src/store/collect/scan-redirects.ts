// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync } from 'node:fs';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';

/** How an xattr `trusted.overlay.redirect` begins in an EROFS image: prefixes have numbers, its value follows its name. */
const PATTERN = Buffer.from('overlay.redirect/', 'latin1');
/** `ab/` and 62 digits. */
const VALUE_BYTES = 65;
const CHUNK_BYTES = 1024 * 1024;
const OVERLAP_BYTES = PATTERN.length + VALUE_BYTES;

/**
 * The objects that an EROFS image or the block device of one refers to, 32 bytes each, told from its
 * bytes alone. What only looks like a redirect (the content of a small file) counts too: that keeps an
 * object too many.
 */
export function scanRedirects(path: string): Buffer {
  const found: Buffer[] = [];
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    let kept = 0;
    for (;;) {
      const got = readSync(fd, buffer, kept, CHUNK_BYTES - kept, null);
      const have = buffer.subarray(0, kept + got);
      collect(have, found);
      if (got === 0) return Buffer.concat(found);
      // A redirect may go on in the next chunk; seen twice it does no harm.
      kept = Math.min(OVERLAP_BYTES, have.length);
      have.copy(buffer, 0, have.length - kept);
    }
  } finally {
    closeSync(fd);
  }
}

function collect(bytes: Buffer, found: Buffer[]): void {
  for (let at = bytes.indexOf(PATTERN); at >= 0; at = bytes.indexOf(PATTERN, at + 1)) {
    const start = at + PATTERN.length;
    const value = bytes.toString('latin1', start, start + VALUE_BYTES);
    const digest = Buffer.from(value.slice(0, 2) + value.slice(3), 'hex');
    if (value.charAt(2) === '/' && digest.length === DIGEST_BYTES) found.push(digest);
  }
}
