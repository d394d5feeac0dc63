// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { ArchiveError } from '../../archive/archive-error.ts';
import { decompress } from '../../archive/decompress.ts';
import { TarReader } from '../../archive/tar-reader.ts';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { LayerCompression } from '../../oci/media-type.ts';
import { LayerError } from '../tree/layer-error.ts';
import { LayerFileWriter } from '../layer/layer-file-writer.ts';
import { LayerSink } from './layer-sink.ts';
import type { ObjectStaging } from './object-staging.ts';
import { SpentMemory } from './spent-memory.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
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
  readonly staging: ObjectStaging;
  /** Where the layer file goes; must not exist. */
  readonly layerFile: string;
  readonly log: Log;
}

/**
 * Streams a layer in, once, without unpacking it: blob → size and digest → inflate → diffID → tar →
 * objects and layer file. Only after it returns do they count for anything.
 */
export async function importLayer(
  layer: LayerImport,
  destination: LayerDestination,
  signal: AbortSignal,
): Promise<void> {
  const { descriptor, diffId, progress } = layer;
  const { digest, sizeBytes } = descriptor;
  progress({ kind: 'layer-start', digest, sizeBytes });
  try {
    await streamLayer(layer, destination, signal);
  } catch (error) {
    throw aboutLayer(digest, error);
  }
  destination.log.debug(`imported layer ${digest} as ${diffId}`);
  progress({ kind: 'layer-done', digest, sizeBytes });
}

async function streamLayer(
  layer: LayerImport,
  destination: LayerDestination,
  signal: AbortSignal,
): Promise<void> {
  const { descriptor, diffId, progress } = layer;
  const fd = openSync(destination.layerFile, 'wx', 0o600);
  try {
    const writer = new LayerFileWriter(fd, diffId);
    using sink = new LayerSink(writer, destination.staging);
    const reader = new TarReader(sink);
    const hash = createHash('sha256');
    const blob = verifiedBlob(layer.blob, descriptor, (bytes) =>
      progress({ kind: 'layer-bytes', digest: descriptor.digest, bytes }),
    );
    const spent = layer.compression === 'none' ? undefined : new SpentMemory();
    for await (const chunk of decompress(layer.compression, blob, signal)) {
      hash.update(chunk);
      reader.write(chunk);
      sink.keep();
      spent?.add(chunk);
    }
    reader.end();
    assertDiffId(digestFromHex(hash.digest('hex')), layer);
    writer.finish();
    if (sink.droppedXattrs > 0) {
      destination.log.debug(`layer ${descriptor.digest}: left out ${sink.droppedXattrs} xattrs`);
    }
  } finally {
    closeSync(fd);
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
