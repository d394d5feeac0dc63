// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { ArchiveError } from './archive-error.ts';
import { decompress } from './decompress.ts';
import { readRegion } from './read-region.ts';
import { TAR_LIMITS } from './tar-limits.ts';

/** Decompresses `source` into a new file at `path`, and returns that file open for reading. */
export async function unpackCompressed(
  source: FileHandle,
  compression: 'gzip' | 'zstd',
  path: string,
  signal: AbortSignal,
): Promise<FileHandle> {
  const { size } = await source.stat();
  const target = await open(path, 'wx+', 0o600);
  try {
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
