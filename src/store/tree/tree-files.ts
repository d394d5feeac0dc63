// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import { compareDigests, sortByDigest } from './digest-order.ts';
import { giveBack } from '../disk/give-back.ts';
import { type InodeNumber, ROOT, type Tree } from './tree.ts';

/** The regular files that names of a tree lead to, and how much there is of everything. */
export interface TreeFiles {
  /** Each once, in the order of the canonical form: depth first, names bytewise. */
  readonly inodes: Uint32Array;
  /** The layers that some of them lie in, in the order of the first. */
  readonly layers: readonly LayerKey[];
  /** Bytes of all of them. */
  readonly contentBytes: number;
  /** Inodes of every type, and names that lead to them. */
  readonly inodeCount: number;
  readonly nameCount: number;
}

export function listFiles(tree: Tree): TreeFiles {
  const seen = new Uint8Array(tree.inodeCount);
  const files = new Uint32Array(tree.inodeCount);
  const layers = new Set<LayerKey>();
  let [fileCount, contentBytes, inodeCount, nameCount] = [0, 0, 1, 0];
  visit(ROOT);
  giveBack(seen);
  return {
    inodes: files.subarray(0, fileCount),
    layers: [...layers],
    contentBytes,
    inodeCount,
    nameCount,
  };

  function visit(directory: InodeNumber): void {
    for (const name of tree.names(directory)) {
      const inode = tree.inodeOf(name);
      nameCount += 1;
      if (seen[inode] === 1) continue;
      seen[inode] = 1;
      inodeCount += 1;
      const type = tree.type(inode);
      if (type === 'directory') visit(inode);
      if (type !== 'file') continue;
      files[fileCount] = inode;
      fileCount += 1;
      contentBytes += tree.sizeBytes(inode);
      const layer = tree.layer(inode);
      if (layer !== undefined) layers.add(layer);
    }
  }
}

/** Of those of `files` whose bytes are objects, one for each digest, by digest. */
export function objectFiles(tree: Tree, files: Uint32Array): Uint32Array {
  const { digests } = tree;
  const sorted = sortByDigest(
    files.filter((inode) => tree.layer(inode) === undefined),
    digests,
  );
  let count = 0;
  for (const inode of sorted) {
    const previous = sorted[count - 1];
    if (previous !== undefined && compareDigests(digests, previous, inode) === 0) continue;
    sorted[count] = inode;
    count += 1;
  }
  return sorted.subarray(0, count);
}

/** Their digests, one after the other. */
export function* digestsOfFiles(
  tree: Tree,
  files: Uint32Array,
): Generator<Digest, void, undefined> {
  for (const inode of files) yield tree.digest(inode);
}
