// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { ArchiveError } from '../../archive/archive-error.ts';
import { decompress } from '../../archive/decompress.ts';
import { wholeBuffers } from '../../archive/whole-buffers.ts';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { LayerCompression } from '../../oci/media-type.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { LayerError } from '../tree/layer-error.ts';
import type { LayerOutcome, NewObjects } from './import-messages.ts';
import type { LayerReceiver } from './layer-receiver.ts';
import type { LayerThreads } from './layer-threads.ts';
import { BlobFailure, verifiedBlob } from './verified-blob.ts';

/** One layer blob on its way in. */
export interface LayerImport {
  readonly descriptor: Descriptor;
  readonly compression: LayerCompression;
  /** As the image config names it. */
  readonly diffId: Digest;
  /** The bytes of the blob as they come; nothing about them is trusted. */
  readonly blob: AsyncIterable<Buffer>;
  /** Gets `layer-start`, `layer-bytes` and `layer-done`, by the digest of the descriptor. */
  readonly progress: Progress;
}

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
  let outcome: LayerOutcome;
  try {
    outcome = await streamLayer(layer, destination, signal);
  } catch (error) {
    throw aboutLayer(digest, error);
  }
  if (outcome.droppedXattrs > 0) {
    destination.log.debug(`layer ${digest}: left out ${outcome.droppedXattrs} xattrs`);
  }
  destination.log.debug(`imported layer ${digest} as ${diffId}`);
  progress({ kind: 'layer-done', digest, sizeBytes });
  return outcome.objects;
}

async function streamLayer(
  layer: LayerImport,
  { layerFile, threads }: LayerDestination,
  signal: AbortSignal,
): Promise<LayerOutcome> {
  const { descriptor, diffId } = layer;
  using receiver = threads.receive(layerFile, diffId, descriptor.sizeBytes);
  try {
    const seen = await passOn(layer, receiver, AbortSignal.any([signal, receiver.failure]));
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
  { descriptor, compression, blob, progress }: LayerImport,
  receiver: LayerReceiver,
  signal: AbortSignal,
): Promise<Digest> {
  const { digest } = descriptor;
  const hash = createHash('sha256');
  const verified = verifiedBlob(blob, descriptor, (bytes) =>
    progress({ kind: 'layer-bytes', digest, bytes }),
  );
  for await (const chunk of wholeBuffers(compression, decompress(compression, verified, signal))) {
    hash.update(chunk);
    await receiver.write(chunk);
  }
  return digestFromHex(hash.digest('hex'));
}

function assertDiffId(seen: Digest, { descriptor, diffId }: LayerImport): void {
  if (seen === diffId) return;
  throw new StoreError(
    'DIFF_ID_MISMATCH',
    `importing layer ${descriptor.digest}: it inflates to ${seen}, the image config names ${diffId}`,
    { hint: 'the image is inconsistent: have it built or pushed again' },
  );
}

/** Errors of archive and entries do not know which layer they are about. */
function aboutLayer(digest: Digest, cause: unknown): unknown {
  if (cause instanceof BlobFailure) return cause.cause;
  const doing = `importing layer ${digest}`;
  if (cause instanceof ArchiveError || cause instanceof LayerError) {
    const message = `${doing}: ${cause.message}`;
    const details = { cause, ...(cause.hint === undefined ? {} : { hint: cause.hint }) };
    return cause instanceof ArchiveError
      ? new ArchiveError(cause.code, message, details)
      : new LayerError(cause.code, message, details);
  }
  return storeFailure(doing, cause);
}
