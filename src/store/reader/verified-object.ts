// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { digestFromHex } from '../../base/digest.ts';
import { openStored } from '../disk/open-stored.ts';
import { StoreError } from '../disk/store-error.ts';
import type { ObjectContent } from '../tree/inode.ts';

const CHUNK_BYTES = 1024 * 1024;

/**
 * The bytes of an object that others write, in pieces that are there until the next one. Never more than the object
 * should have, however long its file is or becomes; what was given before an error must not be used.
 *
 * @throws StoreError STORE_DAMAGED when size or digest are not what they should be; what open(2) and read(2) throw.
 */
export function* verifiedObject(
  { digest, sizeBytes }: ObjectContent,
  path: string,
): Generator<Buffer, void, undefined> {
  const fd = openStored(path);
  try {
    const hash = createHash('sha256');
    // One byte more than is due, to see the end of the file, or that it is not there.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes + 1));
    let seenBytes = 0;
    for (let got = read(); got > 0; got = read()) {
      seenBytes += got;
      if (seenBytes > sizeBytes) throw damaged(`it goes on after ${sizeBytes} bytes`);
      hash.update(chunk.subarray(0, got));
      yield chunk.subarray(0, got);
    }
    if (seenBytes < sizeBytes) throw damaged(`it ends after ${seenBytes} of ${sizeBytes} bytes`);
    if (digestFromHex(hash.digest('hex')) !== digest)
      throw damaged('its bytes have another digest');

    function read(): number {
      return readSync(fd, chunk, 0, chunk.length, null);
    }
  } finally {
    closeSync(fd);
  }

  function damaged(reason: string): StoreError {
    return new StoreError('STORE_DAMAGED', `copying object ${digest}: ${reason}`, {
      hint: 'have the additional store it is in checked: sysct fsck, where it is written',
    });
  }
}
