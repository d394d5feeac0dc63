// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import { messageOf } from '../../base/sysct-error.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { layerCompression } from '../../oci/media-type.ts';
import { zstdChunkedLayer } from '../../oci/zstd-chunked.ts';
import { RegistryError } from '../../registry/http/registry-error.ts';
import type { PartialBlob } from '../../store/disk/partial-blob.ts';
import type { LayerImport, LayerStream } from '../../store/import/import-layer.ts';
import type { ImportTransaction } from '../../store/import/import-transaction.ts';
import type { LayerIdentity, LayerProof } from '../../store/disk/layer-identity.ts';
import type { AdditionalStore } from '../../store/reader/additional-store.ts';
import type { Store } from '../../store/store.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import type { StoredContents } from '../../store/import/stored-contents.ts';
import { ChunkedLayer, type ChunkedParts, isReasonForWhole } from './chunked-layer.ts';
import { ImageError } from '../source/image-error.ts';
import type { ImageSource } from '../source/image-source.ts';
import { isAboutContent, LayerDownload } from './layer-download.ts';
import { identitiesOf, type Layer, layerName } from './layer.ts';
import { relatedLayers } from './related-layers.ts';
import { TocLayer } from './toc-layer.ts';

export interface FetchParts {
  readonly store: Store;
  /** Layers that they have are copied instead of fetched. */
  readonly additional?: readonly AdditionalStore[];
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Each takes some ten MiB while it streams, and three keep a network and the cores busy. */
const LAYERS_AT_ONCE = 3;

/** Below this, a request costs as much as what it could save. */
export const KEPT_MIN_BYTES = 256 * 1024;

/** Of a blob, that an earlier run fetched: the rest of it is asked for then, even where parts would do. */
const BEGUN_SHARE = 0.3;

/** Room for what layers inflate to (real ones by three or four), and for the blobs beside it. */
const ROOM_FACTOR = 6;

/**
 * Brings layers, which the store lacks, into the import, a few at once. The first failure stops the others.
 * What was fetched of a remote source's blobs stays on the disk when the network, the user or a kill ends
 * the run too early, for the next one to go on from. On return the blobs are still there, until
 * `drop`: an import counts only after its commit.
 */
export class LayerFetch implements Disposable {
  readonly #transaction: ImportTransaction;
  readonly #source: ImageSource;
  readonly #parts: FetchParts;
  readonly #partials: PartialBlob[] = [];
  /** Layers that some additional store has and could not give whole. */
  readonly #unreadable = new Set<Layer>();
  #contents: StoredContents | undefined;

  constructor(transaction: ImportTransaction, source: ImageSource, parts: FetchParts) {
    this.#transaction = transaction;
    this.#source = source;
    this.#parts = parts;
  }

  /** @returns what proves each of them. */
  async fetch(layers: readonly Layer[]): Promise<ReadonlyMap<Layer, LayerProof>> {
    const { signal: outer, store } = this.#parts;
    // The first failure stops the other downloads; each is then waited for, so that none writes on.
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const totalBytes = layers.reduce((sum, { descriptor }) => sum + descriptor.sizeBytes, 0);
    const isRoomy = store.hasSpace(totalBytes * ROOM_FACTOR);
    // A layer may be there twice: the second time it is known.
    const distinct = new Map(layers.map((layer) => [layerName(layer), layer]));
    const queue = distinct.entries();
    const proofs = new Map<string, LayerProof>();
    const lane = async (): Promise<void> => {
      for (const [name, layer] of queue) {
        if (signal.aborted) return;
        try {
          proofs.set(name, await this.#bring(layer, isRoomy, signal));
        } catch (error) {
          stop.abort(error);
          throw error;
        }
      }
    };
    const results = await Promise.allSettled(Array.from({ length: LAYERS_AT_ONCE }, lane));
    outer.throwIfAborted();
    if (results.every((result) => result.status === 'fulfilled')) {
      return new Map(layers.map((layer) => [layer, proofs.get(layerName(layer)) ?? 'diff-id']));
    }
    const { reason } = stop.signal as { readonly reason: unknown };
    if (!(reason instanceof RegistryError)) this.drop();
    throw reason;
  }

  /** Removes what was kept of the blobs. */
  drop(): void {
    for (const partial of this.#partials) partial.drop();
  }

  [Symbol.dispose](): void {
    this.#contents?.[Symbol.dispose]();
    for (const partial of this.#partials) partial[Symbol.dispose]();
  }

  /** @returns what proves it. */
  async #bring(layer: Layer, isRoomy: boolean, signal: AbortSignal): Promise<LayerProof> {
    for (const identity of identitiesOf(layer)) {
      if (await this.#copied(layer, identity)) return identity.proof;
    }
    const { descriptor } = layer;
    const download = await this.#download(descriptor, isRoomy, signal);
    const isBegun = (download?.keptBytes ?? 0) > BEGUN_SHARE * descriptor.sizeBytes;
    const parts = isBegun ? undefined : this.#chunkedParts(descriptor, signal);
    const toc =
      parts === undefined || layer.tocDigest === undefined ? 'unclear' : await TocLayer.plan(parts);
    if (toc instanceof TocLayer && (await this.#madeOf(toc, descriptor))) return 'toc';
    const chunked =
      parts === undefined || toc !== 'unclear' ? undefined : await ChunkedLayer.plan(parts);
    try {
      await this.#transaction.importLayer(this.#layerImport(layer, download, chunked, signal));
    } catch (error) {
      throw this.#unreadable.has(layer) ? asDamage(error) : error;
    }
    return 'diff-id';
  }

  /** Copies a layer from an additional store that has it. False when it has to be fetched. */
  async #copied(layer: Layer, identity: LayerIdentity): Promise<boolean> {
    const { descriptor } = layer;
    const { additional = [], progress } = this.#parts;
    const { digest, sizeBytes } = descriptor;
    for (const store of additional.filter((other) => other.mayHaveLayer(identity))) {
      progress({ kind: 'layer-start', digest, sizeBytes });
      if (!(await this.#transaction.copyLayer(identity, store))) {
        this.#unreadable.add(layer);
        continue;
      }
      progress({ kind: 'layer-done', digest, sizeBytes });
      return true;
    }
    return false;
  }

  /** Makes a layer of its table of contents. False when it has to be fetched. */
  async #madeOf(toc: TocLayer, descriptor: Descriptor): Promise<boolean> {
    const { progress, log } = this.#parts;
    return await this.#transaction.importTocLayer({
      descriptor,
      tocDigest: toc.digest,
      members: toc.members(),
      mayGoOn: (error) => {
        if (!mayComeOfParts(error)) return false;
        log.warn(`${messageOf(error)}; fetching all of it`);
        return true;
      },
      progress,
    });
  }

  #layerImport(
    { descriptor, diffId }: Layer,
    download: LayerDownload | undefined,
    chunked: ChunkedLayer | undefined,
    signal: AbortSignal,
  ): LayerImport {
    const { progress, log } = this.#parts;
    const compression = layerCompression(descriptor.mediaType) ?? 'none';
    const streamOf = (bytes: AsyncIterable<Buffer>): LayerStream => {
      return { kind: 'blob', bytes, compression };
    };
    const whole = (): LayerStream =>
      streamOf(download?.bytes() ?? this.#source.openBlob(descriptor, signal));
    const afresh = (error: unknown): LayerStream | undefined => {
      const bytes = download?.afresh(error);
      return bytes === undefined ? undefined : streamOf(bytes);
    };
    if (chunked === undefined) {
      return { descriptor, diffId, stream: whole(), instead: afresh, progress };
    }
    let isWhole = false;
    return {
      descriptor,
      diffId,
      stream: { kind: 'archive', bytes: chunked.archive() },
      instead: (error) => {
        if (isWhole) return afresh(error);
        if (!mayComeOfParts(error)) return undefined;
        log.warn(`${messageOf(error)}; fetching all of it`);
        isWhole = true;
        return whole();
      },
      progress,
    };
  }

  /** Undefined for a layer that is better, or only, fetched whole. */
  #chunkedParts(descriptor: Descriptor, signal: AbortSignal): ChunkedParts | undefined {
    const { remote, reference } = this.#source;
    const { store, progress, log } = this.#parts;
    if (remote === undefined || descriptor.sizeBytes < KEPT_MIN_BYTES) return undefined;
    if (zstdChunkedLayer(descriptor) === undefined) return undefined;
    this.#contents ??= store.storedContents(relatedLayers(store.listRefs(), reference));
    const { digest } = descriptor;
    return {
      remote,
      descriptor,
      contents: this.#contents,
      openSpool: () => store.openContentSpool(),
      onBytes: (bytes) => progress({ kind: 'layer-bytes', digest, bytes }),
      log,
      signal,
    };
  }

  async #download(
    descriptor: Descriptor,
    isRoomy: boolean,
    signal: AbortSignal,
  ): Promise<LayerDownload | undefined> {
    const { remote } = this.#source;
    if (remote === undefined || descriptor.sizeBytes < KEPT_MIN_BYTES) return undefined;
    const partial = await this.#parts.store.claimPartialBlob(descriptor.digest);
    if (partial === undefined) return undefined;
    this.#partials.push(partial);
    return new LayerDownload(remote, descriptor, partial, isRoomy, signal);
  }
}

/** What is not where the image is copied from is not missing there, but cannot be read. */
function asDamage(error: unknown): unknown {
  if (!(error instanceof ImageError) || error.code !== 'SOURCE_NOT_FOUND') return error;
  return new StoreError('STORE_DAMAGED', error.message, { cause: error, hint: error.hint });
}

/**
 * Whether a layer that was made of parts may still come whole: the parts that the store had may be
 * damaged, or gone. Parts that were fetched and are not what the manifest's word leads to are no reason: the
 * source is not to be trusted then.
 */
export function mayComeOfParts(error: unknown): boolean {
  if (isReasonForWhole(error) || isAboutContent(error)) return true;
  return error instanceof StoreError && error.code !== 'NO_SPACE';
}
