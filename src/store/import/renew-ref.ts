// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { type Digest, sha256 } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { readStored, RECORD_MAX_BYTES } from '../disk/read-stored.ts';
import { StoreError } from '../disk/store-error.ts';
import { TransactionDirectory, underLock } from '../disk/transaction-directory.ts';
import {
  completeRef,
  identityOf,
  type NewRef,
  type RefLayer,
  type RefRecord,
} from '../ref/ref-record.ts';
import { missingObject } from '../reader/missing-object.ts';
import { readRefLike, writeRef } from '../ref/refs.ts';
import { needsOfSoundTree } from '../tree/tree-file.ts';

/** See {@link Store.renewRef}. */
export async function renewRef(
  layout: StoreLayout,
  ref: NewRef,
  log: Log,
  signal: AbortSignal,
  beforeNaming: () => void,
): Promise<RefRecord | undefined> {
  const known = readRefLike(layout.refs, ref);
  if (known === undefined || !isSameImage(known, ref) || !isWhole(layout, known, ref)) {
    return undefined;
  }
  using directory = await TransactionDirectory.create(layout, log, signal);
  return await underLock(layout, signal, () => {
    // Nothing was collected that it needs if it has been there all the time, and nothing can be now.
    const still = readRefLike(layout.refs, ref);
    if (still?.treeId !== known.treeId || !isSameImage(still, ref)) return undefined;
    // Signatures may be new to the name, and have been nobody's until now.
    if (!documentsOf(ref).every((digest) => existsSync(layout.blob(digest)))) return undefined;
    beforeNaming();
    const record = completeRef(ref, known);
    writeRef(layout.refs, record, directory.path);
    return record;
  });
}

function isSameImage(known: RefRecord, ref: NewRef): boolean {
  return (
    known.manifestDigest === ref.manifestDigest &&
    known.layers.length === ref.layers.length &&
    known.layers.every((layer, n) => isSameLayer(layer, ref.layers[n]))
  );
}

function isSameLayer(known: RefLayer, layer: RefLayer | undefined): boolean {
  if (layer === undefined || known.diffId !== layer.diffId) return false;
  return identityOf(known).key === identityOf(layer).key;
}

/**
 * Whether all of it is there. Of objects only their names are looked for, because a question for each of
 * tens of thousands would be most of what such a pull takes.
 */
function isWhole(layout: StoreLayout, { treeId, layers }: RefRecord, ref: NewRef): boolean {
  if (!existsSync(layout.image(treeId))) return false;
  const needs = needsOfSoundTree(layout.tree(treeId), treeId);
  return (
    needs !== undefined &&
    areLayersSound(layout, layers) &&
    missingObject(layout, needs.objects) === undefined &&
    documentsOf(ref).every((digest) => isBlobSound(layout.blob(digest), digest))
  );
}

function areLayersSound(layout: StoreLayout, layers: readonly RefLayer[]): boolean {
  using sources = new ContentSources(layout);
  try {
    return layers.map(identityOf).every(({ key, proof }) => sources.layer(key).proof === proof);
  } catch (error) {
    // Missing, or damaged: an import says so.
    if (error instanceof StoreError && error.code !== 'FORMAT_TOO_NEW') return false;
    throw error;
  }
}

function documentsOf(ref: NewRef): readonly Digest[] {
  const index = ref.indexDigest === undefined ? [] : [ref.indexDigest];
  const signatures = ref.signatures.map(({ digest }) => digest);
  return [ref.manifestDigest, ref.imageId, ...index, ...signatures];
}

function isBlobSound(path: string, digest: Digest): boolean {
  try {
    return sha256(readStored(path, RECORD_MAX_BYTES)) === digest;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return false;
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
