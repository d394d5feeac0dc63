// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type Digest, digestFromHex, sha256 } from '../base/digest.ts';
import type { Log } from '../base/log.ts';
import { quote } from '../base/printable.ts';
import { isErrno } from '../base/sysct-error.ts';
import { ContentSources } from './checkout/content-sources.ts';
import { findImage } from './ref/find-image.ts';
import { probeFormat } from './disk/format-file.ts';
import { assertFreeSpace } from './disk/free-space.ts';
import { ImportTransaction } from './import/import-transaction.ts';
import type { FileContent } from './tree/inode.ts';
import { StoreLayout } from './disk/layout.ts';
import { isObjectThere } from './import/object-staging.ts';
import type { RefRecord } from './ref/ref-record.ts';
import { listRefs, removeRef } from './ref/refs.ts';
import { StoreError } from './disk/store-error.ts';
import { storeFailure } from './disk/store-failure.ts';
import { underLock } from './disk/transaction-directory.ts';
import { decodeTree, type StoredTree } from './tree/tree-file.ts';
import { readTreeNeeds, type TreeNeeds } from './tree/tree-needs.ts';
import type { Tree } from './tree/tree.ts';

export interface StoreOptions {
  readonly log: Log;
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
  return await Promise.resolve(new Store(layout, options.log));
}

/**
 * The store of one host. Reading never writes and needs no lock: what it reads never changes, or is
 * replaced whole. A store that does not exist reads as empty, and is made by the first
 * {@link beginImport}.
 */
export class Store {
  readonly layout: StoreLayout;
  readonly #log: Log;

  /** Use {@link openStore}. */
  constructor(layout: StoreLayout, log: Log) {
    this.layout = layout;
    this.#log = log;
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
    return decodeTree(this.#read(this.layout.tree(treeId), `tree ${treeId}`), treeId);
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

  /** Removes a name; what it stood for stays until it is collected. False when there was none. */
  async removeRef(record: RefRecord, signal: AbortSignal): Promise<boolean> {
    if (!existsSync(this.layout.refs)) return false;
    try {
      return await underLock(this.layout, signal, () => removeRef(this.layout.refs, record));
    } catch (error) {
      throw storeFailure(`removing ${record.reference ?? record.manifestDigest}`, error);
    }
  }

  /** @throws StoreError NO_SPACE when fewer than `bytes` are free. */
  assertSpace(bytes: number): void {
    assertFreeSpace(this.layout.directory, bytes);
  }

  /**
   * Starts an import; creates the store, mode 0700, where there is none, and removes what dead imports left.
   * @throws StoreError FORMAT_TOO_NEW, NOT_A_STORE, STORE_READ_ONLY, STORE_NOT_PERMITTED, NO_SPACE
   */
  async beginImport(signal: AbortSignal): Promise<ImportTransaction> {
    return await ImportTransaction.begin(this.layout, this.#log, signal);
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
