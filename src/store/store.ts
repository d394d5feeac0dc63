// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import type { Log } from '../base/log.ts';
import { quote } from '../base/printable.ts';
import { messageOf } from '../base/sysct-error.ts';
import type { CollectOptions } from './collect/collect-garbage.ts';
import type { DiskUsage } from './collect/disk-usage.ts';
import { containersByTree } from './collect/generation-images.ts';
import { type Lease, takeLease } from './collect/leases.ts';
import type { NamedImage } from './collect/named-image.ts';
import { Removals } from './collect/removals.ts';
import { Sealer, type VeritySetting } from './checkout/sealer.ts';
import { probeFormat } from './disk/format-file.ts';
import { freeBytes, missingSpace, noSpace } from './disk/free-space.ts';
import { ensureDirectory } from './disk/ensure-directory.ts';
import { PartialBlob } from './disk/partial-blob.ts';
import { ContentSpool } from './import/content-spool.ts';
import { ImportTransaction } from './import/import-transaction.ts';
import type { LayerKey } from './disk/layer-identity.ts';
import { StoreLayout } from './disk/layout.ts';
import type { Borrowing } from './import/borrowing.ts';
import { renewRef } from './import/renew-ref.ts';
import { StoreReader } from './reader/store-reader.ts';
import { nameOf } from './ref/image-name.ts';
import { identityOf, type NewRef, type RefRecord } from './ref/ref-record.ts';
import { StoredContents } from './import/stored-contents.ts';
import { storeFailure } from './disk/store-failure.ts';

export interface StoreOptions {
  readonly log: Log;
  /** How long what a removed or replaced name stood for is kept for others that still read it; default 0. */
  readonly graceMs?: number;
  /** Default `auto`. */
  readonly verity?: VeritySetting;
  /** Default `check`. */
  readonly chunkedDiffId?: ChunkedDiffIdSetting;
}

/** Whether a zstd:chunked layer must be known by its diffID, or may be by its table of contents alone. */
export type ChunkedDiffIdSetting = 'check' | 'skip';

/**
 * Opens the store in `directory`, which need not exist.
 * @throws StoreError FORMAT_TOO_NEW, NOT_A_STORE, STORE_NOT_PERMITTED
 */
export async function openStore(directory: string, options: StoreOptions): Promise<Store> {
  const layout = new StoreLayout(directory);
  try {
    probeFormat(layout);
  } catch (error) {
    throw storeFailure(`opening store ${quote(directory)}`, error);
  }
  return await Promise.resolve(new Store(layout, options));
}

/** The store of one host, made by {@link openStore}. It is created by the first {@link beginImport}. */
export class Store extends StoreReader {
  readonly sealer: Sealer;
  readonly chunkedDiffId: ChunkedDiffIdSetting;
  readonly #graceMs: number;

  /** Use {@link openStore}. */
  constructor(
    layout: StoreLayout,
    { log, graceMs = 0, verity = 'auto', chunkedDiffId = 'check' }: StoreOptions,
  ) {
    super(layout, log);
    this.chunkedDiffId = chunkedDiffId;
    this.sealer = new Sealer(layout, verity, log);
    this.#graceMs = graceMs;
  }

  /** A place for contents of files until the archive that they belong to is put together. @throws StoreError */
  openContentSpool(): ContentSpool {
    try {
      ensureDirectory(this.layout.downloads);
      return new ContentSpool(join(this.layout.downloads, `spool-${randomUUID()}`));
    } catch (error) {
      throw storeFailure('making room for what is fetched', error);
    }
  }

  /** Finds contents of files by their digests; the small ones in these layers only. Keeps files open until disposed. */
  storedContents(layers: readonly LayerKey[]): StoredContents {
    return new StoredContents(this.layout, layers);
  }

  /** Whether the settings let an image be used as it was pulled: what was taken from tables of contents may have to be checked now. */
  accepts({ layers }: RefRecord): boolean {
    return (
      this.chunkedDiffId === 'skip' ||
      layers.every((layer) => identityOf(layer).proof === 'diff-id')
    );
  }

  /** Names of the containers that have a generation of each tree. @throws StoreError ROOT_UNREADABLE */
  containersByTree(): ReadonlyMap<Digest, readonly string[]> {
    return containersByTree(this.layout);
  }

  /**
   * Removes names, durably, and then what only they needed, unless a grace keeps it. What containers
   * need stays.
   * @returns what was freed. @throws StoreError ROOT_UNREADABLE, STORE_DAMAGED, …: the names are gone then, too
   */
  async removeImages(
    records: readonly RefRecord[],
    now: Date,
    signal: AbortSignal,
  ): Promise<Removals> {
    if (records.length === 0) return new Removals();
    const { removeImages } = await import('./collect/remove-images.ts');
    const options = { now, graceMs: this.#graceMs, log: this.log, signal };
    return await removeImages(this.layout, records, options);
  }

  /** Removes what no name, container, lease or running mount needs. @throws StoreError where that cannot be told */
  async collectGarbage(options: Omit<CollectOptions, 'graceMs' | 'log'>): Promise<Removals> {
    const { collectGarbage } = await import('./collect/collect-garbage.ts');
    return await collectGarbage(this.layout, {
      ...options,
      graceMs: this.#graceMs,
      log: this.log,
    });
  }

  /** @throws StoreError */
  async measureDiskUsage(now: Date): Promise<DiskUsage> {
    const { measureDiskUsage } = await import('./collect/disk-usage.ts');
    return measureDiskUsage(this.layout, new Date(now.getTime() - this.#graceMs));
  }

  /**
   * Keeps an image from being collected until the lease is disposed, or this process ends.
   * @throws StoreError NOT_IN_STORE when it is not there any more: pull it again
   */
  async lease(image: NamedImage, signal: AbortSignal): Promise<Lease> {
    return await takeLease(this.layout, image, this.log, signal);
  }

  /** @throws StoreError NO_SPACE when fewer than `bytes` are free; its hint names what `sysct gc` would free. */
  async assertSpace(bytes: number, signal: AbortSignal): Promise<void> {
    const missing = missingSpace(this.layout.directory, bytes);
    if (missing === undefined) return;
    throw noSpace(this.layout.directory, missing, await this.#garbageBytes(signal));
  }

  /** Creates the store where there is none. @throws as {@link beginImport} */
  async create(signal: AbortSignal): Promise<void> {
    await using nothing = await this.beginImport(signal);
    void nothing;
  }

  /** Whether `bytes` are free. */
  hasSpace(bytes: number): boolean {
    return freeBytes(this.layout.directory) >= bytes;
  }

  /**
   * What an earlier run fetched of a blob, and where this one keeps what it fetches of it. Undefined while
   * another process has it: the blob is then best fetched without.
   */
  async claimPartialBlob(digest: Digest): Promise<PartialBlob | undefined> {
    return await PartialBlob.claim(this.layout, digest, this.log);
  }

  /**
   * As an import of `ref` that brings nothing: where its name stands for that image already and all documents are
   * there whole, makes a new record of it, durably.
   * @param beforeNaming as that of a commit
   * @returns undefined where it takes an import
   */
  async renewRef(
    ref: NewRef,
    signal: AbortSignal,
    beforeNaming: () => void = () => {},
  ): Promise<RefRecord | undefined> {
    try {
      return await renewRef(this.layout, ref, this.log, signal, beforeNaming);
    } catch (error) {
      throw storeFailure(`renewing ${nameOf(ref)}`, error);
    }
  }

  /**
   * Starts an import; creates the store, mode 0700, where there is none, and removes what dead imports left.
   * @throws StoreError FORMAT_TOO_NEW, NOT_A_STORE, STORE_READ_ONLY, STORE_NOT_PERMITTED, NO_SPACE
   */
  async beginImport(
    signal: AbortSignal,
    borrowing: Borrowing = 'what-is-there',
  ): Promise<ImportTransaction> {
    const options = { borrowing, graceMs: this.#graceMs, sealer: this.sealer };
    return await ImportTransaction.begin(this.layout, this.log, signal, options);
  }

  /** 0 where it cannot be told. */
  async #garbageBytes(signal: AbortSignal): Promise<number> {
    try {
      const look = { mode: 'look', leftovers: 'old', now: new Date(), signal } as const;
      return (await this.collectGarbage(look)).bytes;
    } catch (error) {
      this.log.debug(`telling what garbage there is: ${messageOf(error)}`);
      return 0;
    }
  }
}
