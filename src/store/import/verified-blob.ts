// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { digestFromHex } from '../../base/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { StoreError } from '../disk/store-error.ts';

/** What a source threw while it was read; kept apart from what the store itself meets. */
export class BlobFailure extends Error {
  constructor(cause: unknown) {
    super('reading a blob failed', { cause });
  }
}

/**
 * The bytes of `blob`, passed on as they come and checked against `descriptor`: it stops at the
 * first byte too many, and ends only when size and digest are right. What was passed on before an
 * error must not be used.
 *
 * @throws StoreError BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH; BlobFailure with what `blob` threw as its cause
 */
export async function* verifiedBlob(
  blob: AsyncIterable<Buffer>,
  descriptor: Descriptor,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const { digest, sizeBytes } = descriptor;
  const hash = createHash('sha256');
  let seenBytes = 0;
  for await (const chunk of ownErrors(blob)) {
    seenBytes += chunk.length;
    if (seenBytes > sizeBytes) throw wrongSize(`it goes on after ${sizeBytes} bytes`);
    hash.update(chunk);
    onBytes(chunk.length);
    yield chunk;
  }
  if (seenBytes < sizeBytes) throw wrongSize(`it ends after ${seenBytes} of ${sizeBytes} bytes`);
  const seen = digestFromHex(hash.digest('hex'));
  if (seen === digest) return;
  throw new StoreError('BLOB_DIGEST_MISMATCH', `fetching blob ${digest}: its bytes are ${seen}`, {
    hint: 'the source is damaged or lies: try another one',
  });

  function wrongSize(reason: string): StoreError {
    return new StoreError('BLOB_SIZE_MISMATCH', `fetching blob ${digest}: ${reason}`, {
      hint: 'try again; if it persists, the source is damaged',
    });
  }
}

/** Passes on what `blob` gives, and what it throws as a BlobFailure. */
export async function* ownErrors<T>(blob: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* blob;
  } catch (error) {
    throw new BlobFailure(error);
  }
}
