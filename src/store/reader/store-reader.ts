// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type Digest, digestFromHex, sha256 } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import { type LayerIdentity, layerOfDiffId } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { isObjectThere } from '../disk/object-there.ts';
import { openStored } from '../disk/open-stored.ts';
import { readStored, RECORD_MAX_BYTES } from '../disk/read-stored.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { findImage } from '../ref/find-image.ts';
import { identityOf, type RefRecord } from '../ref/ref-record.ts';
import { readRefFiles } from '../ref/refs.ts';
import type { FileContent } from '../tree/inode.ts';
import { readTree, type StoredTree } from '../tree/tree-file.ts';
import { readTreeNeeds, type TreeNeeds } from '../tree/tree-needs.ts';
import type { Tree } from '../tree/tree.ts';

/**
 * Reads the store in one directory, the host's own or an additional one. Reading never writes and
 * needs no lock: what it reads never changes, or is replaced whole. A store that does not exist reads
 * as empty. Everything is checked against its digest or checksum.
 */
export class StoreReader {
  readonly layout: StoreLayout;
  protected readonly log: Log;
  /** Said already. */
  readonly #warned = new Set<string>();

  constructor(layout: StoreLayout, log: Log) {
    this.layout = layout;
    this.log = log;
  }

  /** True when a layer with this diffID is here whole, as {@link holdsLayer} has it. */
  hasLayer(diffId: Digest): boolean {
    return this.holdsLayer(layerOfDiffId(diffId));
  }

  /**
   * True when the layer is here whole, with that proof: its file is sound and each of its objects is there. A damaged
   * one counts as absent, so that importing it again heals it.
   */
  holdsLayer({ key, proof }: LayerIdentity): boolean {
    using sources = new ContentSources(this.layout);
    try {
      const layer = sources.layer(key);
      if (layer.proof !== proof) return false;
      for (const { digest, sizeBytes } of layer.objects()) {
        const named = digestFromHex(digest.toString('hex'));
        if (!isObjectThere(this.layout, named, sizeBytes)) return false;
      }
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw storeFailure(`reading layer ${key}`, error);
      if (error.code !== 'NOT_IN_STORE') this.log.warn(`${error.message}; it is imported again`);
      return false;
    }
  }

  /** True when all layers of the image are here whole. */
  holdsImage(record: RefRecord): boolean {
    return record.layers.every((layer) => this.holdsLayer(identityOf(layer)));
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
    const bytes = this.#read(this.layout.blob(digest), `blob ${digest}`, RECORD_MAX_BYTES);
    if (sha256(bytes) === digest) return bytes;
    throw damagedContent(`blob ${digest}`);
  }

  /** As {@link readBlob}; undefined where that would throw. */
  findBlob(digest: Digest): Buffer | undefined {
    try {
      return this.readBlob(digest);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  /** The bytes of a file of a tree, checked against their digest. @throws StoreError NOT_IN_STORE, STORE_DAMAGED */
  readContent(content: FileContent): Buffer {
    if (content.kind === 'inline') {
      using sources = new ContentSources(this.layout);
      return Buffer.from(sources.readInline(content));
    }
    const what = `object ${content.digest}`;
    const bytes = this.#read(this.layout.object(content.digest), what, content.sizeBytes);
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

  /** All images, by name. A record that cannot be understood hides no other: it is warned of and left out. */
  listRefs(): RefRecord[] {
    return readRefFiles(this.layout.refs).flatMap((file) => {
      if (file.kind === 'record') return [file.record];
      if (file.kind === 'broken') this.#warnOfRef(file.error);
      return [];
    });
  }

  /** Says what of the store cannot be used, and why. */
  warn(reason: string): void {
    this.log.warn(`${reason}; it is left out, sysct fsck says more`);
  }

  /**
   * The image that `text` means: a reference (its registry may be left out), `sha256:…` of a manifest
   * or config, or the first digits, at least four, of an image ID.
   * @throws StoreError IMAGE_NOT_FOUND, AMBIGUOUS_IMAGE listing what it could be
   */
  findImage(text: string): RefRecord {
    return findImage(this.listRefs(), text);
  }

  #warnOfRef(error: unknown): void {
    const failure = storeFailure('reading the images', error);
    if (!(failure instanceof StoreError)) throw error;
    if (this.#warned.has(failure.message)) return;
    this.#warned.add(failure.message);
    this.warn(failure.message);
  }

  async *#pieces(content: FileContent): AsyncGenerator<Buffer, void, undefined> {
    if (content.kind === 'inline') {
      yield this.readContent(content);
      return;
    }
    const what = `object ${content.digest}`;
    const hash = createHash('sha256');
    try {
      const fd = openStored(this.layout.object(content.digest));
      for await (const piece of createReadStream('', { fd })) {
        hash.update(piece as Buffer);
        yield piece as Buffer;
      }
    } catch (error) {
      throw readFailure(what, error);
    }
    if (digestFromHex(hash.digest('hex')) !== content.digest) throw damagedContent(what);
  }

  #read(path: string, what: string, maxBytes: number): Buffer {
    try {
      return readStored(path, maxBytes);
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
    hint: 'sysct fsck --repair fetches it again',
  });
}
