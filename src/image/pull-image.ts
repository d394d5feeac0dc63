// SPDX-License-Identifier: Apache-2.0
import { type Digest, sha256 } from '../base/digest.ts';
import type { Log } from '../base/log.ts';
import type { Progress } from '../base/progress.ts';
import { messageOf } from '../base/sysct-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { layerCompression } from '../oci/media-type.ts';
import { zstdChunkedLayer } from '../oci/zstd-chunked.ts';
import { formatReference, withDefaultTag } from '../oci/reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { LayerProof } from '../store/disk/layer-identity.ts';
import { StoreError } from '../store/disk/store-error.ts';
import type { Borrowing } from '../store/import/borrowing.ts';
import type { ImportTransaction } from '../store/import/import-transaction.ts';
import type { NewRef, RefLayer, RefRecord } from '../store/ref/ref-record.ts';
import type { AdditionalStore } from '../store/reader/additional-store.ts';
import type { ChunkedDiffIdSetting, Store } from '../store/store.ts';
import type { CandidateSignature } from '../trust/lookaside/signature-source.ts';
import { TrustError } from '../trust/verdict/trust-error.ts';
import { identitiesOf, type Layer } from './fetch/layer.ts';
import { LayerFetch } from './fetch/layer-fetch.ts';
import { ImageError } from './source/image-error.ts';
import type { ImageSource } from './source/image-source.ts';
import {
  assertPlatform,
  readImageConfig,
  type ResolvedImage,
  resolveImage,
} from './source/resolve-image.ts';
import {
  type Admission,
  admitImage,
  type JudgedSignature,
  type TrustGate,
} from './gate/trust-gate.ts';

export interface PullParts {
  readonly store: Store;
  /** Layers that one of them has are copied from there, not fetched. None when left out. */
  readonly additional?: readonly AdditionalStore[];
  /** The name to keep the image under, where it is not the source's. */
  readonly keepAs?: string;
  readonly gate: TrustGate;
  readonly platform: Platform;
  readonly progress: Progress;
  readonly log: Log;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface PulledImage {
  readonly record: RefRecord;
  readonly verdict: Admission;
}

/**
 * Makes the image of `source` available in the store: resolve, judge, then fetch and import only
 * what the store lacks. When this resolves everything is durable and named; when it throws the store
 * is as it was. Signatures that were looked at are kept with the image, for judging it again offline.
 */
export async function pullImage(source: ImageSource, parts: PullParts): Promise<PulledImage> {
  const { progress, signal, platform } = parts;
  progress({ kind: 'stage', stage: 'resolving', subject: source.display });
  const image = await resolveImage(source, platform);
  progress({ kind: 'stage', stage: 'verifying', subject: source.display });
  const { verdict, signatures: candidates } = await admitImage(parts.gate, source, image);
  signal.throwIfAborted();
  const { config, bytes: configBytes } = await readImageConfig(source, image, (digest) =>
    parts.store.findBlob(digest),
  );
  assertPlatform(source, config, platform);
  const layers = pairLayers(image.manifest.layers, config.diffIds, parts.store.chunkedDiffId);
  const pull = { source, image, configBytes, layers, verdict, candidates };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const borrowing = attempt < MOST_TRIES ? 'what-is-there' : 'nothing';
      const record = await importImage(pull, borrowing, parts);
      return { record, verdict };
    } catch (error) {
      // Refuses it by now, and says so as it would have at first.
      if (isOvertaken(error)) await admitImage(parts.gate, source, image);
      if (!isCollected(error) || attempt === MOST_TRIES) throw error;
      signal.throwIfAborted();
      parts.log.debug(`${messageOf(error)}: pulling ${source.display} again`);
    }
  }
}

/** For rules against going back. Where there is none for the image, it is no reason not to have it that this fails. */
function remember({ source, verdict }: AdmittedImage, { gate, keepAs, log, now }: PullParts): void {
  // Kept under another name, it takes the place of nothing that the source's name stands for.
  if (keepAs !== undefined) return;
  try {
    gate.history?.remember(source, verdict, now());
  } catch (error) {
    if (verdict.outcomes.some(({ type }) => type === 'noDowngrade')) throw error;
    log.warn(`remembering when ${source.display} was signed: ${messageOf(error)}`);
  }
}

function isOvertaken(error: unknown): boolean {
  return error instanceof TrustError && error.code === 'OVERTAKEN';
}

/**
 * How often a pull is tried, where what it counts on is collected meanwhile. A collection may take
 * longer than some pulls: the last one counts on nothing.
 */
const MOST_TRIES = 3;

function isCollected(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.code === 'OBJECT_VANISHED' || error.code === 'NOT_IN_STORE')
  );
}

/** An image that was resolved and admitted. */
interface AdmittedImage {
  readonly source: ImageSource;
  readonly image: ResolvedImage;
  readonly configBytes: Buffer;
  readonly layers: readonly Layer[];
  readonly verdict: Admission;
  readonly candidates: readonly JudgedSignature[];
}

/** Fetches and imports what the store lacks, and commits. */
async function importImage(
  admitted: AdmittedImage,
  borrowing: Borrowing,
  parts: PullParts,
): Promise<RefRecord> {
  const { source, image, configBytes, layers, candidates } = admitted;
  const { progress, signal, store } = parts;
  const beforeNaming = (): void => remember(admitted, parts);
  if (borrowing === 'what-is-there') {
    // The same image again, mostly: to look at each of its objects first would be most of the work.
    const renewed = await store.renewRef(
      newRef(admitted, firstProofs(layers), parts),
      signal,
      beforeNaming,
    );
    if (renewed !== undefined) {
      reportKnown(layers, progress);
      return renewed;
    }
  }
  const known = borrowing === 'nothing' ? new Map<Layer, LayerProof>() : knownLayers(layers, store);
  const missing = layers.filter((layer) => !known.has(layer));
  await store.assertSpace(
    missing.reduce((sum, { descriptor }) => sum + bytesStored(descriptor), 0),
    signal,
  );
  reportKnown(known.keys(), progress);
  if (missing.length === 0) {
    const renewed = await store.renewRef(newRef(admitted, known, parts), signal, beforeNaming);
    if (renewed !== undefined) return renewed;
  }
  await using transaction = await store.beginImport(signal, borrowing);
  using fetch = new LayerFetch(transaction, source, parts);
  const fetched = await fetch.fetch(missing);
  keepDocuments(transaction, image, configBytes, candidates);
  progress({ kind: 'stage', stage: 'committing', subject: source.display });
  // Before the commit, which would have the disk write them.
  fetch.drop();
  const ref = newRef(admitted, new Map([...known, ...fetched]), parts);
  return await transaction.commit(ref, beforeNaming);
}

function reportKnown(layers: Iterable<Layer>, progress: Progress): void {
  for (const { descriptor } of layers) {
    progress({ kind: 'layer-known', digest: descriptor.digest, sizeBytes: descriptor.sizeBytes });
  }
}

/** What would prove each layer at best. */
function firstProofs(layers: readonly Layer[]): ReadonlyMap<Layer, LayerProof> {
  return new Map(layers.map((layer) => [layer, identitiesOf(layer)[0]?.proof ?? 'diff-id']));
}

/** The layers that the store has whole, and what proves each. */
function knownLayers(layers: readonly Layer[], store: Store): ReadonlyMap<Layer, LayerProof> {
  const known = new Map<Layer, LayerProof>();
  for (const layer of layers) {
    const found = identitiesOf(layer).find((identity) => store.holdsLayer(identity));
    if (found !== undefined) known.set(layer, found.proof);
  }
  return known;
}

function newRef(
  { source, image, layers, verdict, candidates }: AdmittedImage,
  proofs: ReadonlyMap<Layer, LayerProof>,
  { keepAs, now }: PullParts,
): NewRef {
  return {
    reference: keepAs ?? nameOf(source),
    source: source.display,
    manifestDigest: image.manifestDigest,
    indexDigest: image.index?.digest,
    imageId: image.manifest.config.digest,
    layers: layers.map((layer) => refLayer(layer, proofs.get(layer))),
    signatures: candidates.map(({ bytes, source: place, manifestDigest }) => ({
      digest: sha256(bytes),
      source: place,
      ...(manifestDigest === image.manifestDigest ? {} : { manifestDigest }),
    })),
    verdict,
    pulledAt: now().toISOString(),
  };
}

function refLayer(
  { descriptor, diffId, tocDigest }: Layer,
  proof: LayerProof | undefined,
): RefLayer {
  const { digest, sizeBytes } = descriptor;
  const layer = { digest, diffId, sizeBytes };
  return proof === 'toc' && tocDigest !== undefined ? { ...layer, tocDigest } : layer;
}

/**
 * About the least that a layer will take in the store. Compressed ones grow: those of Debian images
 * to some three times their size, of which other images may have a part already.
 */
function bytesStored({ mediaType, sizeBytes }: Descriptor): number {
  return layerCompression(mediaType) === 'none' ? sizeBytes : sizeBytes * LEAST_GROWTH;
}

const LEAST_GROWTH = 1.5;

function keepDocuments(
  transaction: ImportTransaction,
  image: ResolvedImage,
  configBytes: Buffer,
  candidates: readonly CandidateSignature[],
): void {
  transaction.putBlob(image.manifestDigest, image.manifestBytes);
  transaction.putBlob(image.manifest.config.digest, configBytes);
  if (image.index !== undefined) transaction.putBlob(image.index.digest, image.index.bytes);
  for (const { bytes } of candidates) transaction.putBlob(sha256(bytes), bytes);
}

function pairLayers(
  descriptors: readonly Descriptor[],
  diffIds: readonly Digest[],
  setting: ChunkedDiffIdSetting,
): readonly Layer[] {
  const seen = new Map<string, Digest>();
  return descriptors.map((descriptor, n) => {
    const diffId = diffIds[n];
    if (diffId === undefined)
      throw new ImageError('INCONSISTENT_IMAGE', `layer ${n} has no diff ID`);
    const { digest, mediaType } = descriptor;
    const key = `${mediaType} ${digest}`;
    const other = seen.get(key) ?? diffId;
    seen.set(key, other);
    if (other !== diffId) {
      const reason = `layer ${n}, ${digest}, is there with the diff IDs ${other} and ${diffId}`;
      throw new ImageError('INCONSISTENT_IMAGE', reason, {
        hint: 'the image is inconsistent: have it built or pushed again',
      });
    }
    const tocDigest = setting === 'skip' ? zstdChunkedLayer(descriptor)?.toc.digest : undefined;
    return { descriptor, diffId, tocDigest };
  });
}

/** The name that the store keeps the image under. */
function nameOf(source: ImageSource): string | undefined {
  return source.reference === undefined
    ? undefined
    : formatReference(withDefaultTag(source.reference));
}
