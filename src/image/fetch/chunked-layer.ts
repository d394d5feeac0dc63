// SPDX-License-Identifier: Apache-2.0
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { ArchiveError } from '../../archive/archive-error.ts';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { formatSize } from '../../base/size.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { zstdChunkedLayer } from '../../oci/zstd-chunked.ts';
import { RegistryError } from '../../registry/http/registry-error.ts';
import type { ContentSpool } from '../../store/import/content-spool.ts';
import type { StoredContents } from '../../store/import/stored-contents.ts';
import type { FileContent } from '../../store/tree/inode.ts';
import { type ArchivePiece, ChunkedMetadata } from './chunked-metadata.ts';
import type { PlannedSpan } from './chunked-plan.ts';
import { fetchContents } from './fetch-contents.ts';
import type { RemoteBlobs } from '../source/image-source.ts';
import { sortContents } from './missing-contents.ts';

/** When more than this share of a blob is missing, all of it in one stream is faster, and smaller than it seems. */
export const WORTHWHILE_SHARE = 0.7;

const CHUNK_BYTES = 512 * 1024;
export const READ_BYTES = 256 * 1024;

export interface ChunkedParts {
  readonly remote: RemoteBlobs;
  readonly descriptor: Descriptor;
  readonly contents: Pick<StoredContents, 'find' | 'read'>;
  readonly openSpool: () => ContentSpool;
  /** Told of compressed bytes as they come. */
  readonly onBytes: (count: number) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * A zstd:chunked layer (containers/storage) of which the store has a part: only the contents of files that
 * it lacks are fetched, and the archive is put together again from those, the store's own, and the
 * tar-split. What proves it is the diffID of the archive, which is the caller's to check.
 */
export class ChunkedLayer {
  readonly #parts: ChunkedParts;
  readonly #metadata: ChunkedMetadata;
  readonly #known: ReadonlyMap<Digest, FileContent>;
  readonly #spans: readonly PlannedSpan[];
  /** Its own: other layers are put together meanwhile. */
  readonly #scratch = Buffer.allocUnsafe(READ_BYTES);

  private constructor(
    parts: ChunkedParts,
    metadata: ChunkedMetadata,
    known: ReadonlyMap<Digest, FileContent>,
    spans: readonly PlannedSpan[],
  ) {
    this.#parts = parts;
    this.#metadata = metadata;
    this.#known = known;
    this.#spans = spans;
  }

  /**
   * Fetches what the blob says of itself and decides. Undefined where the blob is better fetched whole: it
   * is no such layer, or malformed, the server gives no parts, or most of it is missing.
   * @throws ImageError DIGEST_MISMATCH where the table of contents is not the one that the manifest names
   */
  static async plan(parts: ChunkedParts): Promise<ChunkedLayer | undefined> {
    const { remote, descriptor, contents, log, signal } = parts;
    const layer = zstdChunkedLayer(descriptor);
    if (layer === undefined) return undefined;
    const whole = (why: string): undefined => {
      log.debug(`layer ${descriptor.digest}: fetching all of it: ${why}`);
    };
    let metadata: ChunkedMetadata;
    try {
      metadata = await ChunkedMetadata.fetch(remote, descriptor, layer, signal);
    } catch (error) {
      if (isReasonForWhole(error)) return whole(error.message);
      throw error;
    }
    const { known, spans, missingBytes } = sortContents(metadata.toc.entries, contents);
    if (missingBytes > WORTHWHILE_SHARE * descriptor.sizeBytes) {
      return whole(
        `${formatSize(missingBytes)} of ${formatSize(descriptor.sizeBytes)} are missing`,
      );
    }
    log.debug(
      `layer ${descriptor.digest}: fetching ${formatSize(missingBytes)} of ${formatSize(descriptor.sizeBytes)} in ${spans.length} parts`,
    );
    return new ChunkedLayer(parts, metadata, known, spans);
  }

  /** The bytes of the layer's archive. Nothing is fetched before it is read. */
  async *archive(): AsyncGenerator<Buffer, void, undefined> {
    using spool = this.#parts.openSpool();
    await fetchContents(this.#spans, { ...this.#parts, spool });
    yield* inChunks(this.#bytes(spool));
  }

  async *#bytes(spool: ContentSpool): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of this.#metadata.pieces(this.#parts.signal)) {
      if (piece.kind === 'segment') yield piece.bytes;
      else yield* this.#content(piece, spool);
    }
  }

  #content(
    { content }: Extract<ArchivePiece, { kind: 'content' }>,
    spool: ContentSpool,
  ): Iterable<Buffer> {
    const known = this.#known.get(content.digest);
    const bytes =
      known === undefined
        ? spool.read(content.digest)
        : this.#parts.contents.read(known, this.#scratch);
    if (bytes !== undefined) return bytes;
    throw new Error(`the content ${content.digest} was neither found nor fetched`);
  }
}

/** Whether a blob that cannot be read in parts is to be read whole. */
export function isReasonForWhole(error: unknown): error is ArchiveError | RegistryError {
  if (error instanceof ArchiveError) return true;
  return error instanceof RegistryError && error.code === 'NO_RANGES';
}

/** Joins small pieces: headers have 512 bytes, and every chunk costs a turn of all that reads it. */
async function* inChunks(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const copied = piece.copy(chunk, filled, at);
      at += copied;
      filled += copied;
      if (filled < CHUNK_BYTES) continue;
      yield chunk;
      await eventLoopTurn();
      chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
