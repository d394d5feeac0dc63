// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';

/** What a check can find fault with. */
export type SubjectKind = 'object' | 'layer' | 'tree' | 'image' | 'blob' | 'ref' | 'generation';

/**
 * - `damaged`: the bytes are not what the name or a checksum says.
 * - `missing`: something that is in use names it.
 * - `mode`: the bytes are right; owner or mode are not those of the store.
 * - `stranger`: a file that no store makes. Said, never touched, and no damage.
 */
export type Problem = 'damaged' | 'missing' | 'mode' | 'stranger';

/** Paths of a tree that are concerned; none where the whole of it is. */
export interface TreeNeed {
  readonly treeId: Digest;
  /** For display. */
  readonly paths: readonly string[];
}

/** One thing that is not as it should be. */
export interface Finding {
  readonly kind: SubjectKind | 'file';
  readonly problem: Problem;
  /** A digest (object, layer by its key, tree and image by treeID, blob), or a path inside the store. */
  readonly name: string;
  /** What was seen, in words that follow "it": `has the bytes of sha256:…`. */
  readonly seen: string;
  /** Which trees need it. */
  readonly needs: readonly TreeNeed[];
}

/** True for what makes a store damaged; strangers do not. */
export function isDamage({ problem }: Finding): boolean {
  return problem !== 'stranger';
}
