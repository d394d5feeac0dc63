// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex, sha256 } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory, syncFileSystem } from '../../sys/durable-file.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import { writeErofsImage } from '../erofs/write-erofs-image.ts';
import { CopySourceError } from './copy-layer.ts';
import { DirectLayers } from './direct-layers.ts';
import type { TocLayerImport } from './import-toc-layer.ts';
import type { ImportOptions } from './import-options.ts';
import { importLayer, type LayerImport } from './import-layer.ts';
import {
  type LayerIdentity,
  type LayerKey,
  layerOfDiffId,
  layerOfToc,
} from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { isOpenToOthers, openStagedToOthers } from '../disk/open-to-others.ts';
import { mergeLayers } from './merge-layers.ts';
import { LayerThreads } from './layer-threads.ts';
import { ObjectStaging } from './object-staging.ts';
import type { AdditionalStore } from '../reader/additional-store.ts';
import { sealsForImage, sealStaged, type StagedFiles } from './seal-staged.ts';
import { StagedLayers } from './staged-layers.ts';
import { StagedObjects } from './staged-objects.ts';
import { completeRef, identityOf, type NewRef, type RefRecord } from '../ref/ref-record.ts';
import { nameOf } from '../ref/image-name.ts';
import { keepReplaced } from '../ref/keep-replaced.ts';
import { writeRef } from '../ref/refs.ts';
import { assertThere } from './assert-there.ts';
import { readStored } from '../disk/read-stored.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { TransactionDirectory, underLock } from '../disk/transaction-directory.ts';
import { warnOfNetwork } from '../disk/warn-of-network.ts';
import { writeTree, type WrittenTree } from '../tree/tree-file.ts';
import { digestsOfFiles } from '../tree/tree-files.ts';
import type { Tree } from '../tree/tree.ts';
import { withNewFile } from '../disk/with-new-file.ts';
import { haveSameBytes } from '../disk/same-bytes.ts';

// Promise: a name outside `txn/` always has durable, verified content; whatever happens in between,
// the import is in the store whole or not at all. The order of a commit:
//
//     layers, tree, image, blobs   written to txn/, like the objects before
//     syncfs                       their bytes are durable
//     lock                         nobody collects now
//       check                      what the import found in the store is still there
//       beforeNaming               what others keep of the name; it may still refuse
//       rename objects
//       syncfs                     their names are durable (btrfs needs this one)
//       rename layers, tree, image, blobs; fsync their directories
//       rename ref; fsync its directory
//
// Measured (docs/adr/0021): a power cut at any instant leaves every name whole on ext4, xfs and btrfs.

/** One import: everything is written to a directory of its own and becomes visible in {@link commit}, or not at all. */
export class ImportTransaction implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  readonly #directory: TransactionDirectory;
  readonly #staging: StagedObjects;
  readonly #threads: LayerThreads;
  readonly #direct: DirectLayers;
  readonly #layers: StagedLayers;
  readonly #blobs = new Set<Digest>();
  /** Files of the store that need not be written again. */
  readonly #borrowed = new Set<string>();
  readonly #cancel = new AbortController();
  readonly #options: ImportOptions;
  #state: 'open' | 'failed' | 'closed' = 'open';

  private constructor(
    layout: StoreLayout,
    log: Log,
    signal: AbortSignal,
    directory: TransactionDirectory,
    options: ImportOptions,
  ) {
    this.#options = options;
    this.#layout = layout;
    this.#log = log;
    this.#signal = AbortSignal.any([signal, this.#cancel.signal]);
    this.#directory = directory;
    mkdirSync(join(directory.path, 'blobs'), { mode: 0o700 });
    this.#layers = new StagedLayers(layout, join(directory.path, 'layers'));
    this.#staging = new StagedObjects(layout, join(directory.path, 'objects'), options.borrowing);
    this.#threads = new LayerThreads(layout, this.#staging, options.borrowing);
    const { borrowing } = options;
    this.#direct = new DirectLayers({
      staging: new ObjectStaging(layout, this.#staging.directory, borrowing, 'direct'),
      objects: this.#staging,
      // What has its name may be collected, and such an import may count on nothing that may.
      publish: borrowing === 'nothing' ? undefined : (objects) => this.#publishEarly(objects),
      log,
      signal: this.#signal,
    });
  }

  /** See {@link Store.beginImport}. */
  static async begin(
    layout: StoreLayout,
    log: Log,
    signal: AbortSignal,
    options: ImportOptions,
  ): Promise<ImportTransaction> {
    try {
      using undo = new DisposableStack();
      const directory = undo.use(await TransactionDirectory.create(layout, log, signal));
      warnOfNetwork(layout, log);
      const begun = new ImportTransaction(layout, log, signal, directory, options);
      undo.move();
      return begun;
    } catch (error) {
      throw storeFailure('starting an import', error);
    }
  }

  /**
   * Streams a layer in, once: size, digest, diffID and every entry are checked. Several may run at
   * once. A diffID that this transaction already imports is awaited, and its blob left unread.
   * After an error the others are stopped too, and the transaction can only be aborted.
   *
   * @throws StoreError BLOB_SIZE_MISMATCH, BLOB_DIGEST_MISMATCH, DIFF_ID_MISMATCH, NO_SPACE, …;
   *   ArchiveError, LayerError for what is in it; errors of the blob pass through.
   */
  async importLayer(layer: LayerImport): Promise<void> {
    const { key } = layerOfDiffId(layer.diffId);
    const make = async (): Promise<void> => {
      const layerFile = this.#layers.place(key);
      const destination = { layerFile, threads: this.#threads, log: this.#log };
      this.#staging.add(await importLayer(layer, destination, this.#signal));
    };
    await this.#make(key, make, () => false);
  }

  /**
   * Makes a layer of its table of contents, all contents checked. False where that fails in a way that `mayGoOn`
   * forgives: then {@link importLayer} may be tried.
   *
   * @throws as {@link importLayer}
   */
  async importTocLayer(layer: TocLayerImport): Promise<boolean> {
    const { key } = layerOfToc(layer.tocDigest);
    const make = (): Promise<void> => this.#direct.make(layer, this.#layers.place(key));
    return await this.#make(key, make, (error) => !this.#signal.aborted && layer.mayGoOn(error));
  }

  /**
   * Copies a layer of an additional store, all of it checked on the way; nothing depends on that store
   * then. What was copied is in the store under its name from time to time, so that a copy that is cut
   * short goes on from there. False, and a warning, where the other store cannot give it whole: then
   * {@link importLayer} may be tried.
   */
  async copyLayer(layer: LayerIdentity, from: AdditionalStore): Promise<boolean> {
    const { key } = layer;
    const copy = (): Promise<void> => this.#direct.copy(layer, from, this.#layers.place(key));
    return await this.#make(key, copy, (error) => {
      if (!(error instanceof CopySourceError)) return false;
      from.warn(error.message);
      return true;
    });
  }

  /** Keeps exact bytes under their digest. @throws StoreError BLOB_DIGEST_MISMATCH, NO_SPACE */
  putBlob(digest: Digest, bytes: Uint8Array): void {
    this.#assertOpen();
    const seen = sha256(bytes);
    if (seen !== digest) {
      throw new StoreError('BLOB_DIGEST_MISMATCH', `keeping blob ${digest}: its bytes are ${seen}`);
    }
    if (this.#blobs.has(digest) || this.#isThere(this.#layout.blob(digest), bytes)) return;
    try {
      writeFileSync(this.#stagedBlob(digest), bytes, { flag: 'wx', mode: 0o400 });
    } catch (error) {
      throw storeFailure(`keeping blob ${digest}`, error);
    }
    this.#blobs.add(digest);
  }

  /**
   * Merges the layers of `ref` (each imported here or in the store already), and makes objects,
   * layers, tree, EROFS image, blobs and the ref durable, in this order. On return a power cut loses
   * nothing.
   *
   * @param beforeNaming called with the store's lock, while the name stands for what it did: nobody else gives it another
   *   image before the commit is done. Where it throws, nothing is committed.
   * @throws StoreError OBJECT_VANISHED, NO_SPACE, …; LayerError; what `beforeNaming` throws
   */
  async commit(ref: NewRef, beforeNaming: () => void = () => {}): Promise<RefRecord> {
    this.#assertOpen();
    this.#state = 'failed';
    await this.#layers.complete();
    await this.#threads[Symbol.asyncDispose]();
    try {
      const record = await this.#commit(ref, beforeNaming);
      this.#directory.remove();
      this.#state = 'closed';
      return record;
    } catch (error) {
      throw storeFailure(`committing ${nameOf(ref)}`, error);
    }
  }

  /**
   * Ends the import without giving anything its name: for a repair, which puts single files in the place
   * of damaged ones. They lie in `directory` until {@link abort}, and are not durable yet.
   */
  async handOver(): Promise<StagedFiles> {
    this.#assertOpen();
    this.#state = 'failed';
    await this.#layers.complete();
    await this.#threads[Symbol.asyncDispose]();
    await this.#seal();
    return {
      directory: this.#directory.path,
      object: (digest) => this.#staging.pathOf(digest),
      layer: (key) => this.#layers.pathOf(key),
    };
  }

  /** Leaves nothing behind. Does nothing after a commit. */
  async abort(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancel.abort(new Error('the import was aborted'));
    await Promise.allSettled([this.#layers.settle(), this.#staging.settle()]);
    await this.#threads[Symbol.asyncDispose]();
    this.#directory.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  /** Makes a layer file, once. False after a failure that is harmless: then nothing was made. */
  async #make(
    key: LayerKey,
    make: () => Promise<void>,
    isHarmless: (error: unknown) => boolean,
  ): Promise<boolean> {
    this.#assertOpen();
    try {
      await this.#layers.once(key, make);
      return true;
    } catch (error) {
      if (isHarmless(error)) return false;
      this.#state = 'failed';
      this.#cancel.abort(error);
      throw error;
    }
  }

  /** Only of whole objects: others may be half written. */
  async #publishEarly(objects: readonly Digest[]): Promise<void> {
    await this.#seal(objects);
    await this.#syncStaged();
    await underLock(this.#layout, this.#signal, async () => {
      this.#staging.publish(objects);
      await syncFileSystem(this.#directory.path);
    });
  }

  /** Makes all that is staged durable, and as open as the store is. */
  async #syncStaged(): Promise<void> {
    if (isOpenToOthers(this.#layout.objects)) openStagedToOthers(this.#directory.path);
    await syncFileSystem(this.#directory.path);
  }

  async #commit(ref: NewRef, beforeNaming: () => void): Promise<RefRecord> {
    using sources = new ContentSources(this.#layout, (key) => this.#layerFile(key));
    this.#staging.complete();
    const layers = ref.layers.map(identityOf);
    const tree = mergeLayers(layers, sources);
    const isSealed = await this.#seal();
    const written = await this.#stageTree(tree, sources, isSealed);
    this.#signal.throwIfAborted();
    await this.#syncStaged();
    this.#signal.throwIfAborted();
    const record = completeRef(ref, written);
    await underLock(this.#layout, this.#signal, async () => {
      assertThere(this.#countedOn(tree, written, layers));
      beforeNaming();
      this.#staging.publish();
      await syncFileSystem(this.#directory.path);
      this.#publishFiles(written.treeId);
      keepReplaced(this.#layout, record, this.#options.graceMs);
      writeRef(this.#layout.refs, record, this.#directory.path);
    });
    return record;
  }

  /** True when all that was staged, or all of `digests`, is sealed. */
  async #seal(digests?: Iterable<Digest>): Promise<boolean> {
    const { sealer } = this.#options;
    return await sealStaged(this.#staging, sealer, this.#directory.path, this.#signal, digests);
  }

  async #stageTree(tree: Tree, sources: ContentSources, isSealed: boolean): Promise<WrittenTree> {
    const staged = this.#staged('tree');
    const written = withNewFile(staged, 0o600, (fd) => writeTree(tree, fd));
    const { treeId } = written;
    const image = this.#layout.image(treeId);
    if (existsSync(image) && this.#isSame(this.#layout.tree(treeId), staged)) {
      unlinkSync(staged);
      this.#borrowed.add(image);
      return written;
    }
    if (isSealed) {
      const parts = { sealer: this.#options.sealer, layout: this.#layout, signal: this.#signal };
      const objects = digestsOfFiles(tree, written.objects);
      sources.useSeals(await sealsForImage(objects, this.#staging, parts));
    }
    const stagedImage = this.#staged('image');
    withNewFile(stagedImage, 0o400, (fd) => writeErofsImage(tree, fd, sources));
    if (isSealed) await this.#options.sealer.seal([stagedImage], this.#signal);
    return written;
  }

  /** What the import counts on and did not bring: a path at a time, because a base has tens of thousands. */
  *#countedOn(
    tree: Tree,
    written: WrittenTree,
    layers: readonly LayerIdentity[],
  ): Generator<string, void, undefined> {
    for (const digest of this.#staging.borrowed(digestsOfFiles(tree, written.objects))) {
      yield this.#layout.object(digest);
    }
    for (const { key } of layers) yield this.#layerFile(key);
    yield* this.#borrowed;
  }

  #publishFiles(treeId: Digest): void {
    const { layers, blobs, trees, images } = this.#layout;
    this.#layers.publish();
    for (const digest of this.#blobs) {
      renameSync(this.#stagedBlob(digest), this.#layout.blob(digest));
    }
    if (existsSync(this.#staged('tree'))) {
      renameSync(this.#staged('tree'), this.#layout.tree(treeId));
      renameSync(this.#staged('image'), this.#layout.image(treeId));
    }
    for (const directory of [layers, trees, images, blobs]) syncDirectory(directory);
  }

  /** True for a file of the store that has these bytes; a damaged one counts as absent. */
  #isThere(path: string, bytes: Uint8Array): boolean {
    if (this.#options.borrowing === 'nothing') return false;
    try {
      if (!readStored(path, bytes.length).equals(bytes)) return false;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return false;
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
    this.#borrowed.add(path);
    return true;
  }

  /** As {@link #isThere}, for bytes that are staged already. */
  #isSame(path: string, staged: string): boolean {
    if (this.#options.borrowing === 'nothing') return false;
    try {
      if (!haveSameBytes(path, staged)) return false;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return false;
      // It may be collected at any moment.
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
    this.#borrowed.add(path);
    return true;
  }

  #layerFile(key: LayerKey): string {
    return this.#layers.pathOf(key) ?? this.#layout.layer(key);
  }

  #staged(name: 'tree' | 'image'): string {
    return join(this.#directory.path, name);
  }

  #stagedBlob(digest: Digest): string {
    return join(this.#directory.path, 'blobs', digestHex(digest));
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new Error(`the import is ${this.#state}`);
  }
}
