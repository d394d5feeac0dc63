// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type Digest, digestFromHex, sha256 } from '../base/digest.ts';
import type { Log } from '../base/log.ts';
import { quote } from '../base/printable.ts';
import { isErrno, messageOf } from '../base/sysct-error.ts';
import type { CollectOptions } from './collect/collect-garbage.ts';
import type { DiskUsage } from './collect/disk-usage.ts';
import { containersByTree } from './collect/generation-images.ts';
import { type Lease, takeLease } from './collect/leases.ts';
import type { NamedImage } from './collect/named-image.ts';
import { Removals } from './collect/removals.ts';
import { ContentSources } from './checkout/content-sources.ts';
import { findImage, type ImageMatch, matchImage } from './ref/find-image.ts';
import { probeFormat } from './disk/format-file.ts';
import { missingSpace, noSpace } from './disk/free-space.ts';
import { ImportTransaction } from './import/import-transaction.ts';
import type { FileContent } from './tree/inode.ts';
import { StoreLayout } from './disk/layout.ts';
import { type Borrowing, isObjectThere } from './import/object-staging.ts';
import type { RefRecord } from './ref/ref-record.ts';
import { listRefs } from './ref/refs.ts';
import { StoreError } from './disk/store-error.ts';
import { storeFailure } from './disk/store-failure.ts';
import { readTree, type StoredTree } from './tree/tree-file.ts';
import { readTreeNeeds, type TreeNeeds } from './tree/tree-needs.ts';
import type { Tree } from './tree/tree.ts';

export interface StoreOptions {
  readonly log: Log;
  /** How long what a removed or replaced name stood for is kept for others that still read it; default 0. */
  readonly graceMs?: number;
}

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

/**
 * The store of one host. Reading never writes and needs no lock: what it reads never changes, or is
 * replaced whole. A store that does not exist reads as empty, and is made by the first
 * {@link beginImport}.
 */
export class Store {
  readonly layout: StoreLayout;
  readonly #log: Log;
  readonly #graceMs: number;

  /** Use {@link openStore}. */
  constructor(layout: StoreLayout, { log, graceMs = 0 }: StoreOptions) {
    this.layout = layout;
    this.#log = log;
    this.#graceMs = graceMs;
  }

  /**
   * True when the layer is here whole: its file is sound and each of its objects is there. A damaged
   * one counts as absent, so that importing it again heals it.
   */
  hasLayer(diffId: Digest): boolean {
    using sources = new ContentSources(this.layout);
    try {
      for (const entry of sources.layer(diffId).entries()) {
        if (entry.kind !== 'file' || entry.content.kind !== 'object') continue;
        const { digest, sizeBytes } = entry.content;
        if (!isObjectThere(this.layout, digest, sizeBytes)) return false;
      }
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw storeFailure(`reading layer ${diffId}`, error);
      if (error.code !== 'NOT_IN_STORE') this.#log.warn(`${error.message}; it is imported again`);
      return false;
    }
  }

  /** A tree of its own, the caller's to change. @throws StoreError NOT_IN_STORE, STORE_DAMAGED */
  readTree(treeId: Digest): Tree {
    return this.readStoredTree(treeId).tree;
  }

  /** As {@link readTree}, with what the tree needs of the store. */
  readStoredTree(treeId: Digest): StoredTree {
    try {
      return readTree(this.layout.tree(treeId), treeId);
    } catch (error) {
      throw readFailure(`tree ${treeId}`, error);
    }
  }

  /**
   * What a tree needs of the store, from the front of its file alone: 32 bytes an object to read, nothing to decode.
   * @throws StoreError NOT_IN_STORE, STORE_DAMAGED, FORMAT_TOO_NEW
   */
  readTreeNeeds(treeId: Digest): TreeNeeds {
    try {
      return readTreeNeeds(this.layout.tree(treeId), treeId);
    } catch (error) {
      throw readFailure(`tree ${treeId}`, error);
    }
  }

  /** @throws StoreError NOT_IN_STORE, STORE_DAMAGED when the bytes do not have that digest. */
  readBlob(digest: Digest): Buffer {
    const bytes = this.#read(this.layout.blob(digest), `blob ${digest}`);
    if (sha256(bytes) === digest) return bytes;
    throw damagedContent(`blob ${digest}`);
  }

  /** The bytes of a file of a tree, checked against their digest. @throws StoreError NOT_IN_STORE, STORE_DAMAGED */
  readContent(content: FileContent): Buffer {
    if (content.kind === 'inline') {
      using sources = new ContentSources(this.layout);
      return Buffer.from(sources.readInline(content));
    }
    const what = `object ${content.digest}`;
    const bytes = this.#read(this.layout.object(content.digest), what);
    if (sha256(bytes) === content.digest) return bytes;
    throw damagedContent(what);
  }

  /** As {@link readContent}, piece by piece; the digest is checked at the end. */
  openContent(content: FileContent): Readable {
    return Readable.from(this.#pieces(content), { objectMode: false });
  }

  /** What writers of EROFS images and plain trees read. Keeps files open until disposed. */
  contentSources(): ContentSources {
    return new ContentSources(this.layout);
  }

  /** All images, by name. @throws StoreError STORE_DAMAGED */
  listRefs(): RefRecord[] {
    return listRefs(this.layout.refs);
  }

  /**
   * The image that `text` means: a reference (its registry may be left out), `sha256:…` of a manifest
   * or config, or the first digits, at least four, of an image ID.
   * @throws StoreError IMAGE_NOT_FOUND, AMBIGUOUS_IMAGE listing what it could be
   */
  findImage(text: string): RefRecord {
    return findImage(this.listRefs(), text);
  }

  /** The images that `text` may mean to somebody who removes them. @throws StoreError IMAGE_NOT_FOUND, AMBIGUOUS_IMAGE */
  findImages(text: string): ImageMatch {
    return matchImage(this.listRefs(), text);
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
    const options = { now, graceMs: this.#graceMs, log: this.#log, signal };
    return await removeImages(this.layout, records, options);
  }

  /** Removes what no name, container, lease or running mount needs. @throws StoreError where that cannot be told */
  async collectGarbage(options: Omit<CollectOptions, 'graceMs' | 'log'>): Promise<Removals> {
    const { collectGarbage } = await import('./collect/collect-garbage.ts');
    return await collectGarbage(this.layout, {
      ...options,
      graceMs: this.#graceMs,
      log: this.#log,
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
    return await takeLease(this.layout, image, this.#log, signal);
  }

  /** @throws StoreError NO_SPACE when fewer than `bytes` are free; its hint names what `sysct gc` would free. */
  async assertSpace(bytes: number, signal: AbortSignal): Promise<void> {
    const missing = missingSpace(this.layout.directory, bytes);
    if (missing === undefined) return;
    throw noSpace(this.layout.directory, missing, await this.#garbageBytes(signal));
  }

  /**
   * Starts an import; creates the store, mode 0700, where there is none, and removes what dead imports left.
   * @throws StoreError FORMAT_TOO_NEW, NOT_A_STORE, STORE_READ_ONLY, STORE_NOT_PERMITTED, NO_SPACE
   */
  async beginImport(
    signal: AbortSignal,
    borrowing: Borrowing = 'what-is-there',
  ): Promise<ImportTransaction> {
    const options = { borrowing, graceMs: this.#graceMs };
    return await ImportTransaction.begin(this.layout, this.#log, signal, options);
  }

  /** 0 where it cannot be told. */
  async #garbageBytes(signal: AbortSignal): Promise<number> {
    try {
      const look = { mode: 'look', leftovers: 'old', now: new Date(), signal } as const;
      return (await this.collectGarbage(look)).bytes;
    } catch (error) {
      this.#log.debug(`telling what garbage there is: ${messageOf(error)}`);
      return 0;
    }
  }

  async *#pieces(content: FileContent): AsyncGenerator<Buffer, void, undefined> {
    if (content.kind === 'inline') {
      yield this.readContent(content);
      return;
    }
    const what = `object ${content.digest}`;
    const hash = createHash('sha256');
    try {
      for await (const piece of createReadStream(this.layout.object(content.digest))) {
        hash.update(piece as Buffer);
        yield piece as Buffer;
      }
    } catch (error) {
      throw readFailure(what, error);
    }
    if (digestFromHex(hash.digest('hex')) !== content.digest) throw damagedContent(what);
  }

  #read(path: string, what: string): Buffer {
    try {
      return readFileSync(path);
    } catch (error) {
      throw readFailure(what, error);
    }
  }
}

function readFailure(what: string, cause: unknown): unknown {
  if (!isErrno(cause, 'ENOENT')) return storeFailure(`reading ${what}`, cause);
  return new StoreError('NOT_IN_STORE', `reading ${what}: the store does not have it`, {
    cause,
    hint: 'pull the image again',
  });
}

function damagedContent(what: string): StoreError {
  return new StoreError('STORE_DAMAGED', `reading ${what}: its bytes have another digest`, {
    hint: 'pull the image again',
  });
}
