// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import type { StoreLayout } from './layout.ts';
import { namesIn } from './names-in.ts';

/** What a directory of `objects/` holds. */
export interface ObjectShard {
  /** In no particular order. */
  readonly objects: readonly Digest[];
  /** Names that no object has. */
  readonly strangers: readonly string[];
}

const SHARD = /^[0-9a-f]{2}$/;
const REST = /^[0-9a-f]{62}$/;

/**
 * The directories of `objects/`, `00`…`ff`, in order, and what else is in it. A walk goes shard by
 * shard, so that a store of any size needs the memory of one of them.
 */
export function listShards(layout: StoreLayout): {
  readonly shards: readonly string[];
  readonly strangers: readonly string[];
} {
  const names = namesIn(layout.objects);
  return {
    shards: names.filter((name) => SHARD.test(name)).sort(),
    strangers: names.filter((name) => !SHARD.test(name)),
  };
}

/** The objects of one shard; none where it is gone. */
export function readShard(layout: StoreLayout, shard: string): ObjectShard {
  const names = namesIn(join(layout.objects, shard));
  return {
    objects: names.filter((name) => REST.test(name)).map((name) => digestFromHex(shard + name)),
    strangers: names.filter((name) => !REST.test(name)),
  };
}
