// SPDX-License-Identifier: Apache-2.0
// The image of an installed container as it was kept, and how today's policy judges it.
import { existsSync } from 'node:fs';
import type { StoredRecord } from '../../image/source/stored-source.ts';
import type { TrustGate } from '../../image/gate/trust-gate.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import type { Stores } from '../../store/stores.ts';
import type { Generation } from './generation.ts';
import { judgedAs } from './judged-as.ts';
import { knownSignatures } from './known-signatures.ts';

/** What an installed container is judged by, and the store that has it; the own one where none has. */
export function installedImage(
  { image }: Generation,
  stores: Stores,
): { readonly record: StoredRecord; readonly store: StoreReader } {
  const store = existsSync(stores.local.layout.tree(image.treeId))
    ? stores.local
    : (stores.findElsewhere(image.manifestDigest, image.treeId)?.store ?? stores.local);
  return { record: storedRecordOf(image, store), store };
}

/** The gate of an install, for what is installed. */
export function gateForInstalled(gate: TrustGate, { verdict }: Generation): TrustGate {
  // Whoever installed it knew, and said so; that it is unsigned is shown.
  const wasAllowed = verdict.allowed && verdict.unsigned === 'by-default';
  return {
    ...gate,
    purpose: 'system-container',
    allowUnsigned: gate.allowUnsigned || wasAllowed,
    // It was the newest when it was installed; that a newer image was pulled since is no fault of it.
    history: gate.history?.allowingDowngrade(),
  };
}

/**
 * What it was judged by, and what was pulled of the same manifest since, as after a key was rolled. Generations of before name
 * no signatures.
 */
function storedRecordOf(image: Generation['image'], store: StoreReader): StoredRecord {
  const { manifestDigest, indexDigest } = image;
  const pulledSince = store
    .listRefs()
    .filter((record) => record.manifestDigest === manifestDigest)
    .flatMap((record) => record.signatures);
  const signatures = knownSignatures(manifestDigest, image.signatures ?? [], pulledSince);
  return { ...judgedAs(image), manifestDigest, indexDigest, signatures };
}
