// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { writeWhole } from '../disk/write-whole.ts';

const READ_BYTES = 256 * 1024;

/**
 * Contents of files that wait for their place in an archive: one file that no name leads to, so that it is
 * gone with its process.
 */
export class ContentSpool implements Disposable {
  readonly #fd: number;
  readonly #places = new Map<Digest, { readonly offset: number; readonly sizeBytes: number }>();
  readonly #scratch = Buffer.allocUnsafe(READ_BYTES);
  #endBytes = 0;

  /** @param path a file to make, which is unlinked at once. */
  constructor(path: string) {
    this.#fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Room for a content; several may be written at the same time. */
  reserve(sizeBytes: number): SpooledContent {
    const offset = this.#endBytes;
    this.#endBytes += sizeBytes;
    let written = 0;
    return {
      write: (bytes) => {
        try {
          writeWhole(this.#fd, bytes, offset + written);
        } catch (error) {
          throw storeFailure('keeping what was fetched', error);
        }
        written += bytes.length;
      },
      keep: (digest) => {
        this.#places.set(digest, { offset, sizeBytes });
      },
    };
  }

  /** The bytes, in pieces that are there until the next one; undefined for what is not here. */
  read(digest: Digest): Generator<Buffer, void, undefined> | undefined {
    const place = this.#places.get(digest);
    return place === undefined ? undefined : this.#pieces(place.offset, place.sizeBytes);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  *#pieces(offset: number, sizeBytes: number): Generator<Buffer, void, undefined> {
    for (let done = 0; done < sizeBytes;) {
      const wanted = Math.min(READ_BYTES, sizeBytes - done);
      const count = readSync(this.#fd, this.#scratch, 0, wanted, offset + done);
      if (count === 0) throw new Error('the spool ends too early');
      done += count;
      yield this.#scratch.subarray(0, count);
    }
  }
}

export interface SpooledContent {
  /** Adds bytes, no more in all than were reserved. */
  write(bytes: Uint8Array): void;
  /** Says that all of it is there and that this is its digest. */
  keep(digest: Digest): void;
}
