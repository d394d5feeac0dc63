// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/**
 * The root of the tree that the proof leads to from a leaf (RFC 9162 §2.1.3.2, with the hashes of RFC 6962).
 * @returns undefined when the proof has not the length that index and size ask for
 */
export function rootFromProof(
  leaf: Buffer,
  leafIndex: number,
  treeSize: number,
  hashes: readonly Buffer[],
): Buffer | undefined {
  if (leafIndex >= treeSize) return undefined;
  let node = BigInt(leafIndex);
  let last = BigInt(treeSize) - 1n;
  let root = hash(LEAF, leaf);
  for (const sibling of hashes) {
    if (last === 0n) return undefined;
    if ((node & 1n) === 1n || node === last) {
      root = hash(NODE, sibling, root);
      // A last node without a sibling stands for itself on the levels above.
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else root = hash(NODE, root, sibling);
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? root : undefined;
}

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

function hash(...parts: readonly Buffer[]): Buffer {
  const sha256 = createHash('sha256');
  for (const part of parts) sha256.update(part);
  return sha256.digest();
}
