// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { displayBytes } from '../../base/byte-string.ts';
import type { LayerEntry } from './layer-entry.ts';
import { LayerError } from '../tree/layer-error.ts';
import { LayerMerge } from './layer-merge.ts';
import { hideLower, type LowerTargets } from './layer-whiteouts.ts';
import { lookupNoFollow } from '../tree/tree-path.ts';
import type { InodeNumber, Tree } from '../tree/tree.ts';

// A layer says what to hide of the layers below and what to add; what it hides never touches what
// it adds, in whatever order its archive has them. So: first all whiteouts, looked up in the
// tree as it was, then the entries in their order. Nothing here can leave the tree: names are
// keys, `..` only comes in targets of symbolic links and stops at the root.

/**
 * Puts one layer on top of `tree`, in place (image-spec v1.1.1 layer.md §Applying Changesets). `entries`
 * are in archive order, as EntryCleaner made them, and are looked at more than once: an array,
 * or an iterable that starts again, spares the copy that a generator needs. After an error the tree is half changed and must be thrown away.
 * @throws LayerError
 */
export function applyLayer(tree: Tree, entries: Iterable<LayerEntry>): void {
  const layer = repeatable(entries);
  const lower = hideLower(tree, layer);
  const merge = new LayerMerge(tree);
  for (const entry of layer) {
    switch (entry.kind) {
      case 'whiteout':
      case 'opaque':
        break;
      case 'directory':
        merge.putDirectory(entry.path, entry);
        break;
      case 'hardlink':
        merge.put(entry.path, linkTarget(tree, entry, lower));
        break;
      case 'file':
      case 'symlink':
      case 'char':
      case 'block':
      case 'fifo':
        merge.put(entry.path, newInode(tree, entry));
        break;
      default:
        assertNever(entry);
    }
  }
}

/** Iterators return themselves, and end for good. */
function repeatable(entries: Iterable<LayerEntry>): Iterable<LayerEntry> {
  const iterator: unknown = entries[Symbol.iterator]();
  return iterator === entries ? [...entries] : entries;
}

type InodeEntry = Exclude<
  LayerEntry,
  { readonly kind: 'whiteout' | 'opaque' | 'hardlink' | 'directory' }
>;

function newInode(tree: Tree, entry: InodeEntry): InodeNumber {
  switch (entry.kind) {
    case 'file':
      return tree.addFile(entry, entry.content);
    case 'symlink':
      return tree.addSymlink(entry, entry.target);
    case 'fifo':
      return tree.addFifo(entry);
    case 'char':
    case 'block':
      return tree.addDevice(entry.kind, entry, entry.deviceMajor, entry.deviceMinor);
  }
}

/** The inode that a hard link shares: one that came before in this layer, or one of the layers below, hidden or not. */
function linkTarget(
  tree: Tree,
  { path, target }: Extract<LayerEntry, { readonly kind: 'hardlink' }>,
  lower: LowerTargets,
): InodeNumber {
  const inode = lookupNoFollow(tree, target) ?? lower.get(target);
  if (path !== target && inode !== undefined && !tree.isDirectory(inode)) return inode;
  const seen =
    path === target ? 'itself' : inode === undefined ? 'nothing that came before' : 'a directory';
  throw new LayerError(
    'INVALID_HARDLINK',
    `applying a layer: ${displayBytes(path)} is a hard link to ${displayBytes(target)}, which is ${seen}`,
  );
}
