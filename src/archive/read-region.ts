// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import { MembersError } from './members-error.ts';
import { MEMBER_CHUNK_BYTES } from './members.ts';

/** The bytes of `file` from `offset`, exactly `length` of them, in chunks that the receiver may keep. */
export async function* readRegion(
  file: FileHandle,
  offset: number,
  length: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (let done = 0; done < length;) {
    signal.throwIfAborted();
    const chunk = Buffer.allocUnsafe(Math.min(MEMBER_CHUNK_BYTES, length - done));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset + done);
    if (bytesRead === 0) {
      throw new MembersError(
        'MEMBER_TRUNCATED',
        `reading an archive: it ends ${length - done} bytes early`,
      );
    }
    done += bytesRead;
    yield bytesRead === chunk.length ? chunk : chunk.subarray(0, bytesRead);
  }
}
