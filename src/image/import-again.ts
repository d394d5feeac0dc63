// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { Log } from '../base/log.ts';
import type { Progress } from '../base/progress.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { layerCompression } from '../oci/media-type.ts';
import type { LayerIdentity } from '../store/disk/layer-identity.ts';
import type { ImportTransaction } from '../store/import/import-transaction.ts';
import type { Store } from '../store/store.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource } from './image-source.ts';
import { TocLayer } from './toc-layer.ts';

/** A layer of an image that is there already. */
export interface RepairLayer extends LayerIdentity {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface ImportAgainParts {
  readonly store: Store;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Brings all of a layer once more, with the proof that it has, and nothing of it from the store. */
export async function importAgain(
  layer: RepairLayer,
  source: ImageSource,
  transaction: ImportTransaction,
  parts: ImportAgainParts,
): Promise<void> {
  const { descriptor, diffId, proof } = layer;
  const { progress, signal } = parts;
  if (proof === 'diff-id') {
    const compression = layerCompression(descriptor.mediaType) ?? 'none';
    const stream = {
      kind: 'blob',
      bytes: source.openBlob(descriptor, signal),
      compression,
    } as const;
    await transaction.importLayer({ descriptor, diffId, stream, progress });
    return;
  }
  const toc = await planToc(layer, source, parts);
  const { digest: tocDigest } = toc;
  const members = toc.members();
  const mayGoOn = (): boolean => false;
  await transaction.importTocLayer({ descriptor, tocDigest, members, mayGoOn, progress });
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
