// SPDX-License-Identifier: Apache-2.0
import type { LayerEntry } from './layer-entry.ts';
import type { Tree } from './tree.ts';

/**
 * Puts one layer on top of `tree`, in place (image-spec v1.1.1 layer.md §Applying Changesets). `entries`
 * are in archive order, as EntryCleaner made them, and are iterated twice: an array, or an
 * iterable that starts again. After an error the tree is half changed and must be thrown away.
 * @throws LayerError
 */
export function applyLayer(tree: Tree, entries: Iterable<LayerEntry>): void {
  void [tree, entries];
  throw new Error('not yet');
}
