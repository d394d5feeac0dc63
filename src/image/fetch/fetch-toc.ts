// SPDX-License-Identifier: Apache-2.0
import { parseTocMembers, type TocMember } from '../../archive/toc-members.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { ZstdChunkedLayer } from '../../oci/zstd-chunked.ts';
import { assertDigest, assertSizes, inflated, TOC_MAX_BYTES } from './chunked-metadata.ts';
import type { RemoteBlobs } from '../source/image-source.ts';

/**
 * Fetches the table of contents of a zstd:chunked layer, which the manifest names, and nothing else of its blob.
 * @throws ImageError DIGEST_MISMATCH; ArchiveError BAD_TOC, LIMIT, …; RegistryError NO_RANGES, …
 */
export async function fetchToc(
  remote: RemoteBlobs,
  descriptor: Descriptor,
  { toc }: ZstdChunkedLayer,
  signal: AbortSignal,
): Promise<readonly TocMember[]> {
  assertSizes(toc, TOC_MAX_BYTES);
  const bytes = Buffer.concat(await Array.fromAsync(remote.openSpan(descriptor, toc, signal)));
  assertDigest(descriptor, 'the table of contents has', bytes, toc.digest);
  return parseTocMembers(await inflated(bytes, toc, signal), toc.start);
}
