// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { ArchiveError } from '../../archive/archive-error.ts';
import type { TocContent } from '../../archive/chunked-toc.ts';
import { decompress, PART_LIMIT } from '../../archive/decompress.ts';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { ContentSpool } from '../../store/import/content-spool.ts';
import type { PlannedSpan } from './chunked-plan.ts';
import { ImageError } from '../source/image-error.ts';
import type { RemoteBlobs } from '../source/image-source.ts';
import { SpanReader } from './span-reader.ts';

/** A registry answers this many at once without a fuss; the connections stay open between requests. */
const REQUESTS_AT_ONCE = 6;

/** Larger contents are decompressed as they come. */
const AT_ONCE_BYTES = 4 * 1024 * 1024;

export interface ContentsFetch {
  readonly remote: RemoteBlobs;
  readonly descriptor: Descriptor;
  readonly spool: ContentSpool;
  /** Told of compressed bytes as they come. */
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Fetches spans of a zstd:chunked blob, and puts the contents in them into the spool, each checked.
 * @throws ImageError DIGEST_MISMATCH; ArchiveError for what does not decompress to the size it should have;
 *   RegistryError; StoreError
 */
export async function fetchContents(
  spans: readonly PlannedSpan[],
  fetch: ContentsFetch,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([fetch.signal, stop.signal]);
  const queue = spans.values();
  const worker = async (): Promise<void> => {
    for (const span of queue) await fetchSpan(span, { ...fetch, signal });
  };
  const workers = Array.from({ length: Math.min(REQUESTS_AT_ONCE, spans.length) }, async () => {
    try {
      await worker();
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(workers);
  fetch.signal.throwIfAborted();
  if (results.some((result) => result.status === 'rejected')) throw stop.signal.reason;
}

async function fetchSpan(span: PlannedSpan, fetch: ContentsFetch): Promise<void> {
  const { remote, descriptor, signal, onBytes } = fetch;
  const reader = new SpanReader(counted(remote.openSpan(descriptor, span, signal), onBytes));
  try {
    let at = span.start;
    for (const content of span.contents) {
      await reader.skip(content.start - at);
      await takeContent(reader, content, fetch);
      at = content.end;
    }
  } finally {
    await reader.close();
  }
}

async function takeContent(
  reader: SpanReader,
  content: TocContent,
  { spool, descriptor, signal }: ContentsFetch,
): Promise<void> {
  const { sizeBytes, start, end } = content;
  const place = spool.reserve(sizeBytes);
  const hash = createHash('sha256');
  let seenBytes = 0;
  const take = (bytes: Buffer): void => {
    seenBytes += bytes.length;
    if (seenBytes > sizeBytes) throw wrongSize(content, `more than ${sizeBytes}`);
    hash.update(bytes);
    place.write(bytes);
  };
  if (sizeBytes <= AT_ONCE_BYTES && end - start <= AT_ONCE_BYTES) {
    take(inflateAtOnce(await reader.read(end - start), content));
  } else {
    for await (const bytes of decompress('zstd', reader.take(end - start), signal, PART_LIMIT)) {
      take(bytes);
    }
  }
  if (seenBytes < sizeBytes) throw wrongSize(content, `${seenBytes} of ${sizeBytes}`);
  const seen = digestFromHex(hash.digest('hex'));
  if (seen !== content.digest)
    throw mismatch(descriptor.digest, `${at(content)} are`, seen, content.digest);
  place.keep(seen);
}

function inflateAtOnce(bytes: Buffer, content: TocContent): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: content.sizeBytes });
  } catch (cause) {
    const reason = `decompressing ${at(content)}: ${messageOf(cause)}`;
    throw new ArchiveError('CORRUPT_STREAM', reason, { cause });
  }
}

function at({ start, end }: TocContent): string {
  return `bytes ${start} to ${end}`;
}

function wrongSize(content: TocContent, seen: string): ArchiveError {
  return new ArchiveError('CORRUPT_STREAM', `decompressing ${at(content)}: they are ${seen} bytes`);
}

/** @param what was looked at, as the subject of the sentence. */
export function mismatch(blob: Digest, what: string, seen: Digest, due: Digest): ImageError {
  return new ImageError(
    'DIGEST_MISMATCH',
    `fetching parts of blob ${blob}: ${what} ${seen}, not ${due}`,
    { hint: 'the source is damaged or lies: try another one' },
  );
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}
