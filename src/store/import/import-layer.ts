// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { decompress } from '../../archive/decompress.ts';
import { wholeBuffers } from '../../archive/whole-buffers.ts';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { LayerCompression } from '../../oci/media-type.ts';
import { StoreError } from '../disk/store-error.ts';
import type { LayerOutcome, NewObjects } from './import-messages.ts';
import { layerFailure } from './layer-failure.ts';
import type { LayerReceiver } from './layer-receiver.ts';
import type { LayerThreads } from './layer-threads.ts';
import { ownErrors, verifiedBlob } from './verified-blob.ts';

/** One layer on its way in. */
export interface LayerImport {
  /** Of the layer's blob. */
  readonly descriptor: Descriptor;
  /** As the image config names it. */
  readonly diffId: Digest;
  readonly stream: LayerStream;
  /**
   * Another stream to get the layer from, asked for each time one fails; undefined when there is none,
   * and the import fails with `error`.
   */
  readonly instead?: (error: unknown) => LayerStream | undefined;
  /** Gets `layer-start`, `layer-bytes` and `layer-done`, by the digest of the descriptor. */
  readonly progress: Progress;
}

/** The bytes of a layer as they come; nothing about them is trusted. */
export type LayerStream =
  /** The blob itself: its size and digest are checked against the descriptor, and then the diffID. */
  | {
      readonly kind: 'blob';
      readonly bytes: AsyncIterable<Buffer>;
      readonly compression: LayerCompression;
    }
  /**
   * The archive in it, put together from parts whose digests were checked: the diffID is checked over all of
   * it. Its chunks are given away with all of their memory, which is freed when they were looked at.
   */
  | { readonly kind: 'archive'; readonly bytes: AsyncIterable<Buffer> };

export interface LayerDestination {
  /** Where the layer file goes; must not exist. */
  readonly layerFile: string;
  readonly threads: LayerThreads;
  readonly log: Log;
}

/**
 * Streams a layer in, once, without unpacking it: blob → size and digest → inflate → diffID → tar →
 * objects and layer file. Only after it returns do they count for anything. This thread hashes the
 * blob and what it inflates to; inflating and all that follows run on others.
 */
export async function importLayer(
  layer: LayerImport,
  destination: LayerDestination,
  signal: AbortSignal,
): Promise<NewObjects> {
  const { descriptor, diffId, progress } = layer;
  const { digest, sizeBytes } = descriptor;
  progress({ kind: 'layer-start', digest, sizeBytes });
  const outcome = await streamFromAny(layer, destination, signal);
  if (outcome.droppedXattrs > 0) {
    destination.log.debug(`layer ${digest}: left out ${outcome.droppedXattrs} xattrs`);
  }
  destination.log.debug(`imported layer ${digest} as ${diffId}`);
  progress({ kind: 'layer-done', digest, sizeBytes });
  return outcome.objects;
}

async function streamFromAny(
  layer: LayerImport,
  destination: LayerDestination,
  signal: AbortSignal,
): Promise<LayerOutcome> {
  const { descriptor } = layer;
  const { layerFile, log } = destination;
  let stream = layer.stream;
  for (let attempt = 1; ; attempt += 1) {
    // A thread may still have the file of the attempt before it open.
    const file = attempt === 1 ? layerFile : `${layerFile}.${attempt}`;
    try {
      const outcome = await streamLayer(stream, layer, { ...destination, layerFile: file }, signal);
      if (attempt > 1) renameSync(file, layerFile);
      return outcome;
    } catch (cause) {
      const error = layerFailure(descriptor.digest, cause);
      const next = signal.aborted ? undefined : layer.instead?.(error);
      if (next === undefined) throw error;
      log.debug(`${messageOf(error)}; trying another way`);
      stream = next;
    }
  }
}

async function streamLayer(
  stream: LayerStream,
  layer: LayerImport,
  { layerFile, threads }: LayerDestination,
  signal: AbortSignal,
): Promise<LayerOutcome> {
  const { descriptor, diffId } = layer;
  using receiver = threads.receive(layerFile, diffId, descriptor.sizeBytes);
  try {
    const either = AbortSignal.any([signal, receiver.failure]);
    const seen = await passOn(archiveOf(stream, layer, either), receiver);
    await receiver.end();
    assertDiffId(seen, layer);
  } catch (error) {
    // As on one thread: what is wrong with the bytes before counts before what is wrong after them.
    if (!signal.aborted) await receiver.settle();
    throw error;
  }
  return await receiver.finish();
}

/** @returns the diffID of what was passed on. */
async function passOn(
  archive: AsyncIterable<Uint8Array<ArrayBuffer>>,
  receiver: LayerReceiver,
): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of archive) {
    hash.update(chunk);
    await receiver.write(chunk);
  }
  return digestFromHex(hash.digest('hex'));
}

/** The bytes of the layer's archive. */
function archiveOf(
  stream: LayerStream,
  { descriptor, progress }: LayerImport,
  signal: AbortSignal,
): AsyncIterable<Uint8Array<ArrayBuffer>> {
  switch (stream.kind) {
    case 'blob': {
      const { digest } = descriptor;
      const blob = verifiedBlob(stream.bytes, descriptor, (bytes) =>
        progress({ kind: 'layer-bytes', digest, bytes }),
      );
      const { compression } = stream;
      return wholeBuffers(decompress(compression, blob, signal), compression !== 'none');
    }
    case 'archive':
      return wholeBuffers(decompress('none', ownErrors(stream.bytes), signal), true);
  }
}

function assertDiffId(seen: Digest, { descriptor, diffId }: LayerImport): void {
  if (seen === diffId) return;
  throw new StoreError(
    'DIFF_ID_MISMATCH',
    `importing layer ${descriptor.digest}: it inflates to ${seen}, the image config names ${diffId}`,
    { hint: 'the image is inconsistent: have it built or pushed again' },
  );
}
