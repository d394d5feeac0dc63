// SPDX-License-Identifier: Apache-2.0
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import {
  constants,
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from 'node:zlib';
import type { LayerCompression } from '../oci/media-type.ts';
import { ArchiveError } from './archive-error.ts';
import { ChunkQueue } from './chunk-queue.ts';

/** How far a stream may swell: `graceBytes` and `ratio` times what has been read of it; and what it may make us remember. */
export interface InflationLimit {
  readonly graceBytes: number;
  readonly ratio: number;
  /** Of zstd: it may refer back by 2 to this power of bytes, which are held in memory. */
  readonly windowLog: number;
}

type Engine = Gunzip | ZstdDecompress;

const MIB = 1024 * 1024;

/** Real layers stay below 20:1; gzip reaches 1032:1 and zstd far more, but only on made-up input. */
const INFLATION_LIMIT: InflationLimit = {
  graceBytes: 64 * MIB,
  ratio: 200,
  // zstd --ultra -22 needs 2^27; more would be memory that the sender decides on.
  windowLog: 27,
};

/** As for a whole layer, for one of many streams at once: tools give frames of their own to files with windows of 2^23 to 2^25 bytes. */
export const PART_LIMIT: InflationLimit = { ...INFLATION_LIMIT, windowLog: 25 };

/** Node's default of 16 KiB costs nearly half of the speed. */
const CHUNK_BYTES = MIB;
const QUEUE_CHUNKS = 4;

/**
 * The uncompressed bytes of a layer blob, in chunks of at most 1 MiB (`none`: the chunks of the source).
 * gzip of several members and zstd of several frames, skippable ones included, come out whole; bytes
 * after the last one, a stream that ends early, and one that swells beyond `limit` are refused.
 * Inflation runs ahead of the consumer in Node's thread pool by a few chunks.
 *
 * @throws ArchiveError `CORRUPT_STREAM`, `TRUNCATED`, `TRAILING_GARBAGE`, `LIMIT`; errors of the source and
 *   the reason of an aborted signal pass through as they are.
 */
export async function* decompress(
  compression: LayerCompression,
  source: AsyncIterable<Buffer>,
  signal: AbortSignal,
  limit: InflationLimit = INFLATION_LIMIT,
): AsyncGenerator<Buffer, void, undefined> {
  switch (compression) {
    case 'none':
      return yield* passOn(source, signal);
    case 'gzip':
      return yield* inflate(createGunzip(ENGINE_OPTIONS), compression, source, signal, limit);
    case 'zstd':
      return yield* inflate(
        createZstdDecompress({
          ...ENGINE_OPTIONS,
          params: { [constants.ZSTD_d_windowLogMax]: limit.windowLog },
        }),
        compression,
        source,
        signal,
        limit,
      );
  }
}

/** The writable mark lets the next reads of the source overlap with inflation. */
const ENGINE_OPTIONS = { chunkSize: CHUNK_BYTES, writableHighWaterMark: 2 * MIB };

async function* passOn(
  source: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}

async function* inflate(
  engine: Engine,
  compression: LayerCompression,
  source: AsyncIterable<Buffer>,
  signal: AbortSignal,
  limit: InflationLimit,
): AsyncGenerator<Buffer, void, undefined> {
  const queue = new ChunkQueue(engine, QUEUE_CHUNKS);
  engine.on('error', (error) => queue.fail(refusal(compression, error)));
  const abort = (): void => queue.fail(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const fed = feed(source, engine).catch((error: unknown) => {
    queue.fail(error);
    return 0;
  });
  try {
    let inflatedBytes = 0;
    for (let chunk = await queue.next(); chunk !== undefined; chunk = await queue.next()) {
      inflatedBytes += chunk.length;
      if (inflatedBytes > limit.graceBytes + limit.ratio * engine.bytesWritten) {
        throw bomb(compression, inflatedBytes, engine.bytesWritten);
      }
      yield chunk;
      // The engine hands its next block to the thread pool from the event loop, not from a microtask.
      await eventLoopTurn();
    }
    const fedBytes = await fed;
    signal.throwIfAborted();
    if (fedBytes > engine.bytesWritten) throw trailingGarbage(compression, fedBytes, engine);
  } finally {
    signal.removeEventListener('abort', abort);
    engine.destroy();
  }
}

/** Writes all of `source` into `engine`, unless that is destroyed first. @returns the bytes written */
async function feed(source: AsyncIterable<Buffer>, engine: Engine): Promise<number> {
  let fedBytes = 0;
  for await (const chunk of source) {
    if (engine.destroyed) return fedBytes;
    fedBytes += chunk.length;
    if (!engine.write(chunk)) await drained(engine);
  }
  engine.end();
  return fedBytes;
}

async function drained(engine: Engine): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      engine.off('drain', settle);
      engine.off('close', settle);
      resolve();
    };
    engine.on('drain', settle);
    engine.on('close', settle);
  });
}

function refusal(compression: LayerCompression, error: NodeJS.ErrnoException): ArchiveError {
  const doing = `decompressing a ${compression} stream`;
  switch (error.code) {
    case 'Z_BUF_ERROR':
      return new ArchiveError('TRUNCATED', `${doing}: it ends too early`, { cause: error });
    case 'ZSTD_error_frameParameter_windowTooLarge':
      return new ArchiveError('LIMIT', `${doing}: it needs a window that is too large`, {
        hint: 'recompress the layer without --long or --ultra',
        cause: error,
      });
    default:
      return new ArchiveError('CORRUPT_STREAM', `${doing}: ${error.message}`, { cause: error });
  }
}

function bomb(
  compression: LayerCompression,
  inflatedBytes: number,
  readBytes: number,
): ArchiveError {
  return new ArchiveError(
    'LIMIT',
    `decompressing a ${compression} stream: ${readBytes} bytes have become ${inflatedBytes} already`,
  );
}

function trailingGarbage(
  compression: LayerCompression,
  fedBytes: number,
  engine: Engine,
): ArchiveError {
  return new ArchiveError(
    'TRAILING_GARBAGE',
    `decompressing a ${compression} stream: ${fedBytes - engine.bytesWritten} bytes follow its end`,
  );
}
