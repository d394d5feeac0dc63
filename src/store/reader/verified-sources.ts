// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { digestFromHex } from '../../base/digest.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import { StoreError } from '../disk/store-error.ts';
import { writeWhole } from '../disk/write-whole.ts';
import type { ObjectContent } from '../tree/inode.ts';

const CHUNK_BYTES = 1024 * 1024;

/** The contents of a store that others write: objects are hashed while they are copied. */
export class VerifiedSources extends ContentSources {
  override copyObject(content: ObjectContent, to: Buffer): void {
    const from = openSync(this.objectPath(content), 'r');
    try {
      const file = openSync(to, 'wx', 0o600);
      const hash = createHash('sha256');
      try {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, content.sizeBytes + 1));
        for (let got = read(from, chunk); got > 0; got = read(from, chunk)) {
          hash.update(chunk.subarray(0, got));
          writeWhole(file, chunk.subarray(0, got));
        }
      } finally {
        closeSync(file);
      }
      if (digestFromHex(hash.digest('hex')) === content.digest) return;
      unlinkSync(to);
    } finally {
      closeSync(from);
    }
    throw new StoreError(
      'STORE_DAMAGED',
      `copying object ${content.digest}: its bytes have another digest`,
      {
        hint: 'have the additional store it is in checked: sysct fsck, where it is written',
      },
    );
  }
}

function read(fd: number, chunk: Buffer): number {
  return readSync(fd, chunk, 0, chunk.length, null);
}
