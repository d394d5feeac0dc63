// SPDX-License-Identifier: Apache-2.0
import { lstatSync, unlinkSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory } from '../../sys/durable-file.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { underLock } from '../disk/transaction-directory.ts';
import type { Removals, RemovedKind } from './removals.ts';

/** So many files are removed in one go, in some ten milliseconds, before others may have the lock. */
export const BATCH = 2048;

/** Candidates of one kind. */
export interface Sweep {
  readonly kind: RemovedKind;
  readonly digests: readonly Digest[];
  readonly path: (digest: Digest) => string;
  readonly isNeeded: (digest: Digest) => boolean;
  /** Called with the lock held, before each batch: takes in what is needed since. */
  readonly update: () => void;
  /** Synced after each batch: what is still named must not vanish before its name does. */
  readonly directory: string | undefined;
}

export interface SweepParts {
  readonly layout: StoreLayout;
  readonly mode: 'remove' | 'look';
  readonly removals: Removals;
  readonly signal: AbortSignal;
}

/** Removes the candidates that are not needed, in batches under the store's lock. */
export async function sweep(candidates: Sweep, parts: SweepParts): Promise<void> {
  const unneeded = candidates.digests.filter((digest) => !candidates.isNeeded(digest));
  if (parts.mode === 'look') {
    for (const digest of unneeded) note(candidates, digest, parts.removals);
    return;
  }
  for (let at = 0; at < unneeded.length; at += BATCH) {
    await underLock(parts.layout, parts.signal, () => {
      candidates.update();
      for (const digest of unneeded.slice(at, at + BATCH)) {
        if (!candidates.isNeeded(digest)) remove(candidates, digest, parts.removals);
      }
      if (candidates.directory !== undefined) syncDirectory(candidates.directory);
    });
  }
}

function remove({ kind, path }: Sweep, digest: Digest, removals: Removals): void {
  const file = path(digest);
  const bytes = ownBytes(file);
  try {
    unlinkSync(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  removals.add(kind, bytes ?? 0);
}

function note({ kind, path }: Sweep, digest: Digest, removals: Removals): void {
  const bytes = ownBytes(path(digest));
  if (bytes !== undefined) removals.add(kind, bytes);
}

/** What removing a file frees: nothing where it has another name. */
function ownBytes(file: string): number | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat !== undefined && stat.nlink > 1 ? 0 : stat?.size;
}
