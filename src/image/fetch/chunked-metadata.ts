// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from '../../archive/archive-error.ts';
import { type ChunkedToc, parseChunkedToc, type TocContent } from '../../archive/chunked-toc.ts';
import { decompress } from '../../archive/decompress.ts';
import { type TarSplitPiece, tarSplitPieces } from '../../archive/tar-split.ts';
import { type Digest, sha256 } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { MetadataSpan, ZstdChunkedLayer } from '../../oci/zstd-chunked.ts';
import { mismatch } from './fetch-contents.ts';
import type { RemoteBlobs } from '../source/image-source.ts';

/** Of a table of contents, or a tar-split, as it is compressed: a tenth or less of what they come to. */
const COMPRESSED_MAX_BYTES = 16 * 1024 * 1024;

/** 40,000 files come to this much of JSON; all of it is in memory, several times over while it is parsed. */
export const TOC_MAX_BYTES = 16 * 1024 * 1024;

/** It is read as a stream; 40,000 files come to a fifth of this. */
const TAR_SPLIT_MAX_BYTES = 256 * 1024 * 1024;

/** The place of a member's content in the archive, or bytes between. */
export type ArchivePiece =
  | { readonly kind: 'segment'; readonly bytes: Buffer }
  | { readonly kind: 'content'; readonly content: TocContent };

/** What a zstd:chunked blob says of itself, checked against the digest in the manifest. */
export class ChunkedMetadata {
  readonly toc: ChunkedToc;
  /** Compressed; its digest was checked. */
  readonly #tarSplit: Buffer;
  readonly #tarSplitSpan: MetadataSpan;

  private constructor(toc: ChunkedToc, tarSplit: Buffer, tarSplitSpan: MetadataSpan) {
    this.toc = toc;
    this.#tarSplit = tarSplit;
    this.#tarSplitSpan = tarSplitSpan;
  }

  /**
   * Fetches table of contents and tar-split.
   * @throws ImageError DIGEST_MISMATCH; ArchiveError BAD_TOC, BAD_TAR_SPLIT, LIMIT, …; RegistryError NO_RANGES, …
   */
  static async fetch(
    remote: RemoteBlobs,
    descriptor: Descriptor,
    layer: ZstdChunkedLayer,
    signal: AbortSignal,
  ): Promise<ChunkedMetadata> {
    const { toc: tocSpan, tarSplit: tarSplitSpan } = layer;
    if (tarSplitSpan === undefined) throw noTarSplit();
    assertSizes(tocSpan, TOC_MAX_BYTES);
    assertSizes(tarSplitSpan, TAR_SPLIT_MAX_BYTES);
    const [tocBytes, tarSplit] = await readSpans(
      remote,
      descriptor,
      [tocSpan, tarSplitSpan],
      signal,
    );
    assertDigest(descriptor, 'the table of contents has', tocBytes, tocSpan.digest);
    const toc = parseChunkedToc(await inflated(tocBytes, tocSpan, signal), tocSpan.start);
    const digest = toc.tarSplitDigest ?? tarSplitSpan.digest;
    if (digest === undefined) throw noTarSplit();
    assertDigest(descriptor, 'the tar-split has', tarSplit, digest);
    return new ChunkedMetadata(toc, tarSplit, tarSplitSpan);
  }

  /**
   * The archive in order, with contents in place of bytes.
   * @throws ArchiveError BAD_TAR_SPLIT, also where it does not have the members of the table of contents
   */
  async *pieces(signal: AbortSignal): AsyncGenerator<ArchivePiece, void, undefined> {
    const entries = this.toc.entries.values();
    const text = atMost(
      this.#tarSplitSpan.inflatedBytes,
      decompress('zstd', once(this.#tarSplit), signal),
    );
    for await (const piece of tarSplitPieces(text)) {
      if (piece.kind === 'segment') {
        yield piece;
        continue;
      }
      const { value: entry } = entries.next();
      const nameFits = piece.name === undefined || piece.name === entry?.name;
      if (entry === undefined || !nameFits || piece.sizeBytes !== (entry.content?.sizeBytes ?? 0)) {
        throw unlike(piece);
      }
      if (entry.content !== undefined) yield { kind: 'content', content: entry.content };
    }
    if (entries.next().done !== true) throw unlike(undefined);
  }
}

async function readSpans(
  remote: RemoteBlobs,
  descriptor: Descriptor,
  [a, b]: readonly [MetadataSpan, MetadataSpan],
  signal: AbortSignal,
): Promise<readonly [Buffer, Buffer]> {
  const read = async (span: { start: number; end: number }): Promise<Buffer> =>
    Buffer.concat(await Array.fromAsync(remote.openSpan(descriptor, span, signal)));
  // They lie side by side, a frame's header apart: one request.
  const start = Math.min(a.start, b.start);
  const end = Math.max(a.end, b.end);
  if (end - start > a.end - a.start + (b.end - b.start) + NEAR_BYTES) {
    return [await read(a), await read(b)];
  }
  const both = await read({ start, end });
  return [
    both.subarray(a.start - start, a.end - start),
    both.subarray(b.start - start, b.end - start),
  ];
}

const NEAR_BYTES = 4096;

/** A table of contents as it is in `bytes`. @throws ArchiveError */
export async function inflated(
  bytes: Buffer,
  span: MetadataSpan,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let seenBytes = 0;
  for await (const chunk of decompress('zstd', once(bytes), signal)) {
    seenBytes += chunk.length;
    if (seenBytes > span.inflatedBytes) break;
    chunks.push(chunk);
  }
  if (seenBytes === span.inflatedBytes) return Buffer.concat(chunks);
  throw new ArchiveError('BAD_TOC', 'the table of contents has another length than was announced');
}

/** A bomb of empty lines makes no archive, and so runs into none of its limits. */
async function* atMost(
  maxBytes: number,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  let seenBytes = 0;
  for await (const chunk of chunks) {
    seenBytes += chunk.length;
    if (seenBytes > maxBytes) {
      throw new ArchiveError('BAD_TAR_SPLIT', 'the tar-split is longer than was announced');
    }
    yield chunk;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** @throws ArchiveError LIMIT */
export function assertSizes(
  { start, end, inflatedBytes }: MetadataSpan,
  inflatedMaxBytes: number,
): void {
  if (end - start <= COMPRESSED_MAX_BYTES && inflatedBytes <= inflatedMaxBytes) return;
  throw new ArchiveError('LIMIT', 'its table of contents or tar-split is too large');
}

/** @throws ImageError DIGEST_MISMATCH */
export function assertDigest(
  descriptor: Descriptor,
  what: string,
  bytes: Buffer,
  due: Digest,
): void {
  const seen = sha256(bytes);
  if (seen !== due) throw mismatch(descriptor.digest, `${what} the digest`, seen, due);
}

function noTarSplit(): ArchiveError {
  return new ArchiveError('BAD_TAR_SPLIT', 'it has no tar-split');
}

function unlike(piece: Extract<TarSplitPiece, { kind: 'file' }> | undefined): ArchiveError {
  const where = piece === undefined ? 'at its end' : `at ${quote(piece.name ?? '')}`;
  return new ArchiveError(
    'BAD_TAR_SPLIT',
    `the tar-split has other members than the table of contents, ${where}`,
  );
}
