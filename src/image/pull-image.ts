// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../base/digest.ts';
import type { Progress } from '../base/progress.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { layerCompression } from '../oci/media-type.ts';
import { formatReference, withDefaultTag } from '../oci/reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { ImportTransaction } from '../store/import/import-transaction.ts';
import type { RefRecord, RefSignature } from '../store/ref/ref-record.ts';
import type { Store } from '../store/store.ts';
import type { CandidateSignature } from '../trust/signature-source.ts';
import { ImageError } from './image-error.ts';
import type { ImageSource } from './image-source.ts';
import {
  assertPlatform,
  readImageConfig,
  type ResolvedImage,
  resolveImage,
} from './resolve-image.ts';
import { type Admission, admitImage, type TrustGate } from './trust-gate.ts';

export interface PullParts {
  readonly store: Store;
  readonly gate: TrustGate;
  readonly platform: Platform;
  readonly progress: Progress;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface PulledImage {
  readonly record: RefRecord;
  readonly verdict: Admission;
}

/** One layer as manifest and config together describe it. */
interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * Makes the image of `source` available in the store: resolve, judge, then fetch and import only
 * what the store lacks. When this resolves everything is durable and named; when it throws the store
 * is as it was. Signatures that were looked at are kept with the image, for judging it again offline.
 */
export async function pullImage(source: ImageSource, parts: PullParts): Promise<PulledImage> {
  const { progress, signal, store, platform } = parts;
  progress({ kind: 'stage', stage: 'resolving', subject: source.display });
  const image = await resolveImage(source, platform);
  progress({ kind: 'stage', stage: 'verifying', subject: source.display });
  const { verdict, signatures: candidates } = await admitImage(parts.gate, source, image);
  signal.throwIfAborted();
  const { config, bytes: configBytes } = await readImageConfig(source, image);
  assertPlatform(source, config, platform);
  const layers = pairLayers(image.manifest.layers, config.diffIds);
  const missing = layers.filter(({ diffId }) => !store.hasLayer(diffId));
  store.assertSpace(missing.reduce((sum, { descriptor }) => sum + descriptor.sizeBytes, 0));
  for (const { descriptor } of layers.filter((layer) => !missing.includes(layer))) {
    progress({ kind: 'layer-known', digest: descriptor.digest, sizeBytes: descriptor.sizeBytes });
  }
  await using transaction = await store.beginImport(signal);
  await importLayers(transaction, source, missing, parts);
  const signatures = keepDocuments(transaction, image, configBytes, candidates);
  progress({ kind: 'stage', stage: 'committing', subject: source.display });
  const record = await transaction.commit({
    reference: nameOf(source),
    source: source.display,
    manifestDigest: image.manifestDigest,
    indexDigest: image.index?.digest,
    imageId: image.manifest.config.digest,
    layers: layers.map(({ descriptor, diffId }) => ({
      digest: descriptor.digest,
      diffId,
      sizeBytes: descriptor.sizeBytes,
    })),
    signatures,
    verdict,
    pulledAt: parts.now().toISOString(),
  });
  return { record, verdict };
}

async function importLayers(
  transaction: ImportTransaction,
  source: ImageSource,
  layers: readonly Layer[],
  parts: PullParts,
): Promise<void> {
  // The first failure stops the other downloads; each is then waited for, so that none writes on.
  const stop = new AbortController();
  const signal = AbortSignal.any([parts.signal, stop.signal]);
  const results = await Promise.allSettled(
    layers.map(async ({ descriptor, diffId }) => {
      try {
        await transaction.importLayer({
          descriptor,
          compression: layerCompression(descriptor.mediaType) ?? 'none',
          diffId,
          blob: source.openBlob(descriptor, signal),
          progress: parts.progress,
        });
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  parts.signal.throwIfAborted();
  if (results.some((result) => result.status === 'rejected')) throw stop.signal.reason;
}

function keepDocuments(
  transaction: ImportTransaction,
  image: ResolvedImage,
  configBytes: Buffer,
  candidates: readonly CandidateSignature[],
): readonly RefSignature[] {
  transaction.putBlob(image.manifestDigest, image.manifestBytes);
  transaction.putBlob(image.manifest.config.digest, configBytes);
  if (image.index !== undefined) transaction.putBlob(image.index.digest, image.index.bytes);
  return candidates.map(({ bytes, source }) => {
    const digest = sha256(bytes);
    transaction.putBlob(digest, bytes);
    return { digest, source };
  });
}

function pairLayers(
  descriptors: readonly Descriptor[],
  diffIds: readonly Digest[],
): readonly Layer[] {
  return descriptors.map((descriptor, n) => {
    const diffId = diffIds[n];
    if (diffId === undefined)
      throw new ImageError('INCONSISTENT_IMAGE', `layer ${n} has no diff ID`);
    return { descriptor, diffId };
  });
}

/** The name that the store keeps the image under. */
function nameOf(source: ImageSource): string | undefined {
  return source.reference === undefined
    ? undefined
    : formatReference(withDefaultTag(source.reference));
}
