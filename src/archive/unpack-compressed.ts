// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveError } from './archive-error.ts';
import { decompress } from './decompress.ts';
import { readRegion } from './read-region.ts';
import { TAR_LIMITS } from './tar-limits.ts';

/**
 * Decompresses `source` into a new file in `directory`, open for reading. It has no name, so that it is
 * gone with the process, and nobody takes it for what a dead one left.
 */
export async function unpackCompressed(
  source: FileHandle,
  compression: 'gzip' | 'zstd',
  directory: string,
  signal: AbortSignal,
): Promise<FileHandle> {
  const { size } = await source.stat();
  const path = join(directory, `archive-${randomBytes(6).toString('hex')}`);
  const target = await open(path, 'wx+', 0o600);
  try {
    await rm(path, { force: true });
    let written = 0;
    for await (const chunk of decompress(
      compression,
      readRegion(source, 0, size, signal),
      signal,
    )) {
      written += chunk.length;
      if (written > TAR_LIMITS.archiveBytes)
        throw new ArchiveError('LIMIT', 'it is too large when decompressed');
      await target.writeFile(chunk);
    }
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}
