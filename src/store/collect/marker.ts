// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import { listDigestFiles, listLayers } from '../disk/digest-files.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { StoredLayer } from '../layer/stored-layer.ts';
import { readTreeNeeds } from '../tree/tree-needs.ts';
import { findMountedImages } from './mounted-images.ts';
import type { Root, RootReader } from './roots.ts';
import { scanRedirects } from './scan-redirects.ts';

/** Takes the digests of needed objects: the 32 bytes at `offset`. */
export type MarkObject = (bytes: Buffer, offset: number) => void;

/**
 * What the roots of a store need. Marks only grow: {@link update} adds what roots that are new
 * since then need, and is cheap where none are.
 */
export class Marker {
  readonly trees = new Set<Digest>();
  readonly layers = new Set<LayerKey>();
  readonly blobs = new Set<Digest>();
  readonly #layout: StoreLayout;
  readonly #roots: RootReader;
  readonly #mark: MarkObject;
  readonly #log: Log;
  readonly #seen = new Set<string>();
  readonly #wholeLayers = new Set<LayerKey>();

  constructor(layout: StoreLayout, roots: RootReader, mark: MarkObject, log: Log) {
    this.#layout = layout;
    this.#roots = roots;
    this.#mark = mark;
    this.#log = log;
  }

  /** @throws StoreError where it cannot be told what a root needs: then nothing may be removed. */
  update(): void {
    const roots = this.#roots.read();
    for (const root of roots) if (this.#isNew(root.key)) this.#tryMarkRoot(root);
    const known = new Set(roots.map(({ image }) => image));
    for (const { key, file, source } of findMountedImages(this.#layout)) {
      // The image of a generation that is there needs what its tree does.
      if (!known.has(file) && this.#isNew(`mount ${key}`)) this.#markImage(source);
    }
  }

  /**
   * Marks what trees need that are there though no root names them: those of imports that died in
   * their commit while the collection ran. Whatever is there stays whole until it goes itself.
   */
  updatePresentTrees(): void {
    this.update();
    for (const treeId of listDigestFiles(this.#layout.trees)) {
      if (this.trees.has(treeId)) continue;
      try {
        this.#markNeedsOf(treeId);
      } catch (error) {
        if (!isMissingOrDamaged(error)) throw error;
      }
    }
  }

  /** As {@link updatePresentTrees}, and of layers too. */
  updatePresentLayers(): void {
    this.updatePresentTrees();
    for (const key of listLayers(this.#layout)) {
      if (this.#wholeLayers.has(key)) continue;
      this.layers.add(key);
      try {
        this.#markObjectsOf(key);
      } catch (error) {
        if (!isMissingOrDamaged(error)) throw error;
      }
      this.#wholeLayers.add(key);
    }
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  // Without the lock a root may go, and what it needs with it, while it is being looked at.
  #tryMarkRoot(root: Root): void {
    try {
      this.#markRoot(root);
    } catch (error) {
      if (this.#roots.read().some(({ key }) => key === root.key)) throw error;
    }
  }

  #markRoot(root: Root): void {
    for (const digest of root.blobs) this.blobs.add(digest);
    this.#markTree(root);
    for (const key of root.layers) this.#markLayer(key, root);
  }

  #markTree(root: Root): void {
    const { treeId, what, image } = root;
    if (this.trees.has(treeId)) return;
    try {
      this.#markNeedsOf(treeId);
    } catch (cause) {
      // An installed container has an image of its own; a written-out tree needs nothing of the store.
      if (!isMissingOrDamaged(cause) || root.kind !== 'container') {
        throw isErrno(cause, 'ENOENT')
          ? treeMissing(root, cause)
          : storeFailure(tellingNeeds(what), cause);
      }
      if (image !== undefined && existsSync(image)) this.#markImage(image);
    }
  }

  #markLayer(key: LayerKey, { what }: Root): void {
    this.layers.add(key);
    if (this.#wholeLayers.has(key)) return;
    try {
      this.#markObjectsOf(key);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw storeFailure(tellingNeeds(what), error);
      this.#log.warn(`${what} lacks layer ${key}; pull it again`);
    }
    this.#wholeLayers.add(key);
  }

  #markNeedsOf(treeId: Digest): void {
    const { objects, layers } = readTreeNeeds(this.#layout.tree(treeId), treeId);
    for (let at = 0; at < objects.length; at += DIGEST_BYTES) this.#mark(objects, at);
    for (const key of layers) this.layers.add(key);
    this.trees.add(treeId);
  }

  #markObjectsOf(key: LayerKey): void {
    using layer = new StoredLayer(this.#layout.layer(key), key);
    for (const { digest } of layer.objects()) this.#mark(digest, 0);
  }

  #markImage(path: string): void {
    try {
      const objects = scanRedirects(path);
      for (let at = 0; at < objects.length; at += DIGEST_BYTES) this.#mark(objects, at);
    } catch (error) {
      throw storeFailure(`telling what the mounted image ${quote(path)} needs`, error);
    }
  }
}

function isMissingOrDamaged(error: unknown): boolean {
  if (isErrno(error, 'ENOENT')) return true;
  return error instanceof StoreError && error.code === 'STORE_DAMAGED';
}

function tellingNeeds(what: string): string {
  return `telling what ${what} needs`;
}

function treeMissing({ what, treeId }: Root, cause: unknown): StoreError {
  return new StoreError(
    'STORE_DAMAGED',
    `${tellingNeeds(what)}: its tree ${treeId} is not there; so nothing is removed`,
    { cause, hint: 'pull the image again, or remove its name with sysct rmi' },
  );
}
