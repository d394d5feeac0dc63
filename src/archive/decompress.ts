// SPDX-License-Identifier: Apache-2.0
import type { LayerCompression } from '../oci/media-type.ts';

/**
 * The uncompressed bytes of a layer blob, in chunks of at most 1 MiB (`none`: the chunks of the source).
 * gzip of several members and zstd of several frames, skippable ones included, come out whole; bytes
 * after the last one, a stream that ends early, and one that swells beyond reason are refused.
 * Inflation runs ahead of the consumer in Node's thread pool by a few chunks.
 *
 * @throws ArchiveError `CORRUPT_STREAM`, `TRUNCATED`, `TRAILING_GARBAGE`, `LIMIT`; errors of the source and
 *   the reason of an aborted signal pass through as they are.
 */
export async function* decompress(
  compression: LayerCompression,
  source: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  void [compression, source, signal];
  yield* [];
  throw new Error('not yet');
}
