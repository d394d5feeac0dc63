// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { layerCompression } from '../../oci/media-type.ts';
import type { LayerIdentity } from '../../store/disk/layer-identity.ts';
import type { LayerStream } from '../../store/import/import-layer.ts';
import type { ImportTransaction } from '../../store/import/import-transaction.ts';
import type { StoredContents } from '../../store/import/stored-contents.ts';
import type { Store } from '../../store/store.ts';
import { ChunkedLayer } from '../fetch/chunked-layer.ts';
import { ImageError } from '../source/image-error.ts';
import type { ImageSource } from '../source/image-source.ts';
import { KEPT_MIN_BYTES, mayComeOfParts } from '../fetch/layer-fetch.ts';
import { relatedLayers } from '../fetch/related-layers.ts';
import { TocLayer } from '../fetch/toc-layer.ts';

/** A layer of an image that is there already. */
export interface RepairLayer extends LayerIdentity {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface ImportAgainParts {
  readonly store: Store;
  /** Names of the objects and layers that a check found damaged or missing: they are not read. */
  readonly damaged: ReadonlySet<string>;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Brings all of a layer once more, with the proof that it has. Of a zstd:chunked layer whose archive proves it, only
 * what is damaged or missing is fetched; what is read of the store instead is held against the diffID with the
 * rest, and the layer fetched whole where that is not met.
 */
export async function importAgain(
  layer: RepairLayer,
  source: ImageSource,
  transaction: ImportTransaction,
  parts: ImportAgainParts,
): Promise<void> {
  const { descriptor, diffId, proof } = layer;
  const { store, damaged, progress, log, signal } = parts;
  if (proof === 'diff-id') {
    const related = relatedLayers(store.listRefs(), source.reference);
    using stored = store.storedContents(related.filter((key) => !damaged.has(key)));
    const chunked = await planParts(layer, stored, source, parts);
    const compression = layerCompression(descriptor.mediaType) ?? 'none';
    const whole = (): LayerStream => {
      return { kind: 'blob', bytes: source.openBlob(descriptor, signal), compression };
    };
    let isWhole = chunked === undefined;
    await transaction.importLayer({
      descriptor,
      diffId,
      stream: chunked === undefined ? whole() : { kind: 'archive', bytes: chunked.archive() },
      instead: (error) => {
        if (isWhole || !mayComeOfParts(error)) return undefined;
        log.debug(`${messageOf(error)}; fetching all of it`);
        isWhole = true;
        return whole();
      },
      progress,
    });
    return;
  }
  const toc = await planToc(layer, source, parts);
  const { digest: tocDigest } = toc;
  const members = toc.members();
  const mayGoOn = (): boolean => false;
  await transaction.importTocLayer({ descriptor, tocDigest, members, mayGoOn, progress });
}

/** Undefined for a layer that is better, or only, fetched whole. */
async function planParts(
  { descriptor }: RepairLayer,
  stored: StoredContents,
  { remote }: ImageSource,
  { store, damaged, progress, log, signal }: ImportAgainParts,
): Promise<ChunkedLayer | undefined> {
  if (remote === undefined || descriptor.sizeBytes < KEPT_MIN_BYTES) return undefined;
  const { digest } = descriptor;
  return await ChunkedLayer.plan({
    remote,
    descriptor,
    contents: {
      find: (content, sizeBytes) =>
        damaged.has(content) ? undefined : stored.find(content, sizeBytes),
      read: (content, scratch) => stored.read(content, scratch),
    },
    openSpool: () => store.openContentSpool(),
    onBytes: (bytes) => progress({ kind: 'layer-bytes', digest, bytes }),
    log,
    signal,
  });
}

async function planToc(
  { descriptor }: RepairLayer,
  { remote, display }: ImageSource,
  { store, progress, log, signal }: ImportAgainParts,
): Promise<TocLayer> {
  const { digest } = descriptor;
  const toc =
    remote === undefined
      ? 'whole'
      : await TocLayer.plan(
          {
            remote,
            descriptor,
            contents: NOTHING,
            openSpool: () => store.openContentSpool(),
            onBytes: (bytes) => progress({ kind: 'layer-bytes', digest, bytes }),
            log,
            signal,
          },
          Infinity,
        );
  if (toc instanceof TocLayer) return toc;
  const reason = `${display} gives no parts of layer ${digest} any more, and only those prove it`;
  throw new ImageError('SOURCE_NOT_FOUND', `fetching parts of it: ${reason}`, {
    hint: `sysct pull ${display}`,
  });
}

const NOTHING = {
  find: () => undefined,
  read: (): never => {
    throw new Error('nothing of the store is read');
  },
};
