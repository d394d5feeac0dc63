// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { digestHex } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import { listDigestFiles, listLayers } from '../disk/digest-files.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { listShards, readShard } from '../disk/object-shards.ts';
import { storeFailure } from '../disk/store-failure.ts';
import { underLock } from '../disk/transaction-directory.ts';
import { removeTombstones } from '../ref/tombstones.ts';
import { DigestTable } from './digest-table.ts';
import { type LeftoverParts, removeDeadTransactions, removeLeftovers } from './leftovers.ts';
import { Marker } from './marker.ts';
import { Removals } from './removals.ts';
import { RootReader } from './roots.ts';
import { metadataSweeps, objectSweep } from './sweep-order.ts';
import { BATCH, sweep } from './sweep.ts';

export interface CollectOptions {
  /** `look` says what would go. */
  readonly mode: 'remove' | 'look';
  /** Partial downloads and what is in quarantine: those that are old, or all of them. */
  readonly leftovers: 'old' | 'all';
  readonly now: Date;
  /** How long what was removed stays. */
  readonly graceMs: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

// Promise: what a ref, a tombstone within its grace, a generation, a live lease or a running mount
// needs is never removed, whatever others do meanwhile.
//
// Marking takes no lock. Then batches of candidates are removed under it; before each, the roots are
// read again and what new ones need is marked too. An import becomes visible within one holding of
// the lock, and looks under it whether all that it counts on is there: so either the collection sees
// its ref, or it sees what was removed (OBJECT_VANISHED). Trees go before the layers and objects that
// they name, durably, so that a tree or layer that is there has all its objects there.

/** Removes from a store what nothing needs. @throws StoreError where that cannot be told. */
export async function collectGarbage(
  layout: StoreLayout,
  options: CollectOptions,
): Promise<Removals> {
  const removals = new Removals();
  if (!existsSync(layout.format)) return removals;
  try {
    const parts: LeftoverParts = { layout, removals, ...options };
    const dead = await removeDeadTransactions(parts);
    const keptAfter = new Date(options.now.getTime() - options.graceMs);
    await collectUnneeded(new RootReader(layout, keptAfter, dead), parts);
    await removeLeftovers(parts);
  } catch (error) {
    throw storeFailure('collecting garbage', error);
  }
  return removals;
}

async function collectUnneeded(roots: RootReader, parts: LeftoverParts): Promise<void> {
  const { layout, mode, log } = parts;
  await forgetRemoved(roots, parts);
  const needed = new DigestTable(estimateObjects(layout));
  const marker = new Marker(layout, roots, (bytes, at) => needed.add(bytes, at), log);
  marker.update();
  const listed = {
    trees: (): Digest[] => listDigestFiles(layout.trees),
    images: (): Digest[] => listDigestFiles(layout.images, '.erofs'),
    layers: () => listLayers(layout),
    blobs: (): Digest[] => listDigestFiles(layout.blobs),
  };
  for (const candidates of metadataSweeps(layout, marker, listed)) await sweep(candidates, parts);
  await sweepObjects(marker, needed, parts);
  if (mode === 'remove') log.debug(`${needed.size} objects are needed`);
}

/** Shard by shard; the candidates of several make a batch. */
async function sweepObjects(
  marker: Marker,
  needed: DigestTable,
  parts: LeftoverParts,
): Promise<void> {
  const { layout, signal } = parts;
  const isNeeded = objectLookup(needed);
  let candidates: Digest[] = [];
  for (const shard of listShards(layout).shards) {
    signal.throwIfAborted();
    candidates.push(...readShard(layout, shard).objects.filter((digest) => !isNeeded(digest)));
    if (candidates.length < BATCH) continue;
    await sweep(objectSweep(layout, marker, candidates, isNeeded), parts);
    candidates = [];
  }
  await sweep(objectSweep(layout, marker, candidates, isNeeded), parts);
}

function objectLookup(needed: DigestTable): (digest: Digest) => boolean {
  const bytes = Buffer.alloc(DIGEST_BYTES);
  return (digest) => {
    bytes.write(digestHex(digest), 'hex');
    return needed.find(bytes, 0) >= 0;
  };
}

/** Names go before what they name. */
async function forgetRemoved(roots: RootReader, parts: LeftoverParts): Promise<void> {
  const { layout, mode, removals, signal } = parts;
  const expired = roots.expiredTombstones();
  for (const _ of expired) removals.add('removed', 0);
  if (mode === 'look' || expired.length === 0) return;
  await underLock(layout, signal, () => removeTombstones(layout.removed, expired));
}

/** Objects are spread evenly over the shards. */
function estimateObjects(layout: StoreLayout): number {
  const { shards } = listShards(layout);
  const [first] = shards;
  return first === undefined ? 0 : readShard(layout, first).objects.length * shards.length;
}
