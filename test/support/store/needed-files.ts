// SPDX-License-Identifier: Apache-2.0
// What images need of a store, worked out the long way: trees and layers are decoded whole, and nothing of
// the collector is used.
import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Digest } from '../../../src/base/digest.ts';
import { identityOf, type RefRecord } from '../../../src/store/ref/ref-record.ts';
import type { Store } from '../../../src/store/store.ts';
import { walkTree } from '../../../src/store/tree/tree.ts';

/** Paths of the files that a tree needs, relative to the store. */
export function filesOfTree(store: Store, treeId: Digest): Set<string> {
  const { layout } = store;
  const files = new Set([layout.tree(treeId), layout.image(treeId)]);
  for (const { inode } of walkTree(store.readTree(treeId))) {
    if (inode.type !== 'file') continue;
    const { content } = inode;
    files.add(
      content.kind === 'object' ? layout.object(content.digest) : layout.layer(content.layer),
    );
  }
  return new Set([...files].map((path) => relative(layout.directory, path)));
}

/** Paths of all files that an image needs, hidden files of its layers among them. */
export function filesOfImage(store: Store, record: RefRecord): Set<string> {
  const { layout } = store;
  const files = [record.manifestDigest, record.imageId, record.indexDigest]
    .filter((digest) => digest !== undefined)
    .map((digest) => layout.blob(digest));
  for (const { digest } of record.signatures) files.push(layout.blob(digest));
  using sources = store.contentSources();
  for (const { key } of record.layers.map(identityOf)) {
    files.push(layout.layer(key));
    for (const entry of sources.layer(key).entries()) {
      if (entry.kind === 'file' && entry.content.kind === 'object')
        files.push(layout.object(entry.content.digest));
    }
  }
  const paths = files.map((path) => relative(layout.directory, path));
  return new Set([...paths, ...filesOfTree(store, record.treeId)]);
}

/** All files of a store that images are made of, by path, with their sizes. */
export function contentFiles(store: Store): Map<string, number> {
  const { layout } = store;
  const files = new Map<string, number>();
  for (const directory of [
    ...[layout.objects, layout.layers, layout.trees, layout.images],
    ...[layout.blobs],
  ]) {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files.set(relative(layout.directory, path), lstatSync(path).size);
    }
  }
  return files;
}

/** The files that all images of a store need. */
export function filesOfImages(store: Store): Set<string> {
  return new Set(store.listRefs().flatMap((record) => [...filesOfImage(store, record)]));
}
