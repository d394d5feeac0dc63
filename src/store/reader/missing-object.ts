// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestHex } from '../../base/digest.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { readShard } from '../disk/object-shards.ts';
import { digestsOf } from '../tree/tree-needs.ts';

/**
 * The first of `objects` (32 bytes each, ascending) that has no name in the store; undefined where all have.
 * A listing for each shard, not a question for each object; sizes are not looked at.
 */
export function missingObject(layout: StoreLayout, objects: Buffer): Digest | undefined {
  let shard = '';
  let there: ReadonlySet<Digest> = new Set();
  for (const digest of digestsOf(objects)) {
    const prefix = digestHex(digest).slice(0, 2);
    if (prefix !== shard) there = new Set(readShard(layout, prefix).objects);
    shard = prefix;
    if (!there.has(digest)) return digest;
  }
  return undefined;
}
