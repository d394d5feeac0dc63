// SPDX-License-Identifier: Apache-2.0
import { byteStringOf } from '../../base/byte-string.ts';
import type { MountPoint } from '../../launch/mount-points.ts';
import { ensureDirectory, ensureFile } from '../../store/tree/tree-path.ts';
import type { Tree } from '../../store/tree/tree.ts';

/**
 * Puts every mount point into the tree: a runtime cannot make one in a root that is read-only.
 * @returns whether any was missing.
 */
export function addMountPoints(tree: Tree, mountPoints: readonly MountPoint[]): boolean {
  let added = false;
  for (const { path, kind } of mountPoints) {
    const inTree = byteStringOf(path.replace(/^\/+/, ''));
    const isNew = kind === 'directory' ? ensureDirectory(tree, inTree) : ensureFile(tree, inTree);
    added ||= isNew;
  }
  return added;
}
