// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestFromHex, sha256 } from '../../../src/base/digest.ts';
import { silentLog } from '../../../src/base/log.ts';
import { listShards, readShard } from '../../../src/store/disk/object-shards.ts';
import { openStore } from '../../../src/store/store.ts';
import { digestsOf } from '../../../src/store/tree/tree-needs.ts';
import type { LayerKey } from '../../../src/store/disk/layer-identity.ts';

const PROOFS = ['diff-id', 'toc'] as const;

/** How much of everything a store has. */
export interface StoreCount {
  readonly objects: number;
  readonly refs: number;
}

/**
 * Asserts the store's promise: whatever has a name outside `txn/` is whole and has the content that
 * its name says, and so has all that it refers to.
 */
export async function assertSound(directory: string): Promise<StoreCount> {
  if (!existsSync(directory)) return { objects: 0, refs: 0 };
  const store = await openStore(directory, { log: silentLog });
  const { layout } = store;
  let objects = 0;
  for (const shard of listShards(layout).shards) {
    for (const digest of readShard(layout, shard).objects) {
      const seen = sha256(readFileSync(layout.object(digest)));
      assert.equal(seen, digest, 'an object has the content of its name');
      assert.equal(statSync(layout.object(digest)).mode & 0o777, 0o400);
      objects += 1;
    }
  }
  for (const name of names(layout.blobs)) store.readBlob(digestFromHex(name));
  for (const name of names(layout.layers)) {
    const key = digestFromHex(name) as LayerKey;
    const isWhole = PROOFS.some((proof) => store.holdsLayer({ key, proof }));
    assert.ok(isWhole, `layer ${name} is whole`);
  }
  for (const name of names(layout.trees)) {
    const { objects: needed, layers } = store.readStoredTree(digestFromHex(name));
    for (const object of digestsOf(needed)) assert.ok(existsSync(layout.object(object)), object);
    for (const layer of layers) assert.ok(existsSync(layout.layer(layer)), layer);
  }
  for (const name of names(layout.images)) {
    assert.ok(statSync(join(layout.images, name)).size > 0, `image ${name} is not empty`);
  }
  const refs = store.listRefs();
  for (const ref of refs) {
    assert.ok(existsSync(layout.tree(ref.treeId)), 'the tree of a ref is there');
    assert.ok(existsSync(layout.image(ref.treeId)), 'the image of a ref is there');
    assert.ok(store.holdsImage(ref), 'the layers of a ref are there, with the proofs that it says');
  }
  return { objects, refs: refs.length };
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
