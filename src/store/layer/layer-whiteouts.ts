// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { baseName, joinPath, parentPath, ROOT_PATH } from '../tree/entry-path.ts';
import type { LayerEntry } from './layer-entry.ts';
import { LayerError } from '../tree/layer-error.ts';
import { lookup, lookupNoFollow } from '../tree/tree-path.ts';
import { type InodeNumber, ROOT, type Tree } from '../tree/tree.ts';

/** Targets of the layer's hard links as the layers below had them, by path. */
export type LowerTargets = ReadonlyMap<ByteString, InodeNumber>;

/**
 * Hides from `tree`, which holds the layers below, what the whiteouts of `entries` name. All of them are
 * looked up before anything is removed, so their order in the archive does not matter.
 * @returns what hard links of this layer may still lead to although it is hidden.
 * @throws LayerError `OPAQUE_NOT_DIRECTORY`
 */
export function hideLower(tree: Tree, entries: Iterable<LayerEntry>): LowerTargets {
  // Nothing lies below the lowest layer: it need not be looked through.
  if (tree.inodeCount === 1) return new Map();
  const hidden: { directory: InodeNumber; name: ByteString }[] = [];
  const emptied: InodeNumber[] = [];
  const finder = new LowerFinder(tree, entries);
  for (const entry of entries) {
    if (entry.kind === 'whiteout') {
      const directory = finder.directory(parentPath(entry.path));
      if (directory !== undefined && tree.isDirectory(directory)) {
        hidden.push({ directory, name: baseName(entry.path) });
      }
    } else if (entry.kind === 'opaque') {
      const directory = finder.directory(entry.path);
      if (directory === undefined) continue;
      if (!tree.isDirectory(directory)) throw opaqueNotDirectory(entry.path);
      emptied.push(directory);
    }
  }
  if (hidden.length === 0 && emptied.length === 0) return new Map();
  const targets = lowerTargets(tree, entries);
  for (const { directory, name } of hidden) tree.removeChild(directory, name);
  for (const directory of emptied) tree.removeChildren(directory);
  return targets;
}

/** Finds directories of the layers below by the paths that a layer's whiteouts use. */
class LowerFinder {
  readonly #tree: Tree;
  readonly #entries: Iterable<LayerEntry>;
  #ownPaths: Set<ByteString> | undefined;

  constructor(tree: Tree, entries: Iterable<LayerEntry>) {
    this.#tree = tree;
    this.#entries = entries;
  }

  /**
   * What `path` is in the layers below, symbolic links followed as for files (usrmerge); undefined when
   * nothing is there, or when the layer itself puts something else where a link or a file was.
   */
  directory(path: ByteString): InodeNumber | undefined {
    const tree = this.#tree;
    let inode = ROOT;
    let here = ROOT_PATH;
    for (const name of path === ROOT_PATH ? [] : path.split('/')) {
      if (!tree.isDirectory(inode)) return undefined;
      const child = tree.child(inode, name as ByteString);
      if (child === undefined) return undefined;
      here = joinPath(here, name);
      if (!tree.isDirectory(child) && this.#isReplaced(here)) return undefined;
      const followed = tree.type(child) === 'symlink' ? lookup(tree, here) : child;
      if (followed === undefined) return undefined;
      inode = followed;
    }
    return inode;
  }

  #isReplaced(path: ByteString): boolean {
    if (this.#ownPaths === undefined) {
      this.#ownPaths = new Set();
      for (const entry of this.#entries) {
        if (entry.kind !== 'opaque') this.#ownPaths.add(entry.path);
      }
    }
    return this.#ownPaths.has(path);
  }
}

function lowerTargets(tree: Tree, entries: Iterable<LayerEntry>): LowerTargets {
  const targets = new Map<ByteString, InodeNumber>();
  for (const entry of entries) {
    if (entry.kind !== 'hardlink') continue;
    const inode = lookupNoFollow(tree, entry.target);
    if (inode !== undefined) targets.set(entry.target, inode);
  }
  return targets;
}

function opaqueNotDirectory(path: ByteString): LayerError {
  return new LayerError(
    'OPAQUE_NOT_DIRECTORY',
    `applying a layer: it hides the children of ${displayBytes(path)}, which is no directory`,
  );
}
