// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../../src/base/digest.ts';
import {
  readTree,
  type StoredTree,
  writeTree,
  type WrittenTree,
} from '../../../src/store/tree/tree-file.ts';
import { readTreeNeeds, type TreeNeeds } from '../../../src/store/tree/tree-needs.ts';
import type { Tree } from '../../../src/store/tree/tree.ts';
import { temporaryDirectory } from '../tmp.ts';

interface EncodedTree extends Omit<WrittenTree, 'objects'>, TreeNeeds {
  readonly bytes: Buffer;
}

/** {@link writeTree} into memory. */
export function encodeTree(tree: Tree): EncodedTree {
  using tmp = temporaryDirectory('tree', '/dev/shm');
  const path = join(tmp.directory, 'tree');
  const fd = openSync(path, 'wx');
  try {
    const written = writeTree(tree, fd);
    return { ...written, ...readTreeNeeds(path, written.treeId), bytes: readFileSync(path) };
  } finally {
    closeSync(fd);
  }
}

/** {@link readTree} of a file with these bytes. */
export function decodeTree(bytes: Buffer, treeId: Digest): StoredTree {
  using tmp = temporaryDirectory('tree', '/dev/shm');
  const path = join(tmp.directory, 'tree');
  writeFileSync(path, bytes);
  return readTree(path, treeId);
}
