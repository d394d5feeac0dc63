// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory, syncFileSystem } from '../../sys/durable-file.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { openLikePlace } from '../disk/open-to-others.ts';
import { underLock } from '../disk/transaction-directory.ts';
import { InodeInUse } from './inode-in-use.ts';

/** One file that takes the place of another; without `good`, the place is left empty. */
export interface Replacement {
  /** The path that is to be right, in the store. */
  readonly place: string;
  /** A whole file on the store's file system; it goes to `place`. */
  readonly good: string | undefined;
}

// Promise: there is no instant without a file at `place` (where there is a good one), and none at which
// a power cut leaves it half written: services that use it go on.
//
//     good files staged, syncfs     their bytes are durable
//     lock
//       link bad to quarantine/     nothing is thrown away
//       rename good over bad
//       write the good bytes into the inode that was bad, for those who have it open (objects)
//       syncfs

/** Puts good files in the place of bad ones, which are kept in `quarantine/`. Durable on return. */
export async function replaceFiles(
  layout: StoreLayout,
  replacements: readonly Replacement[],
  signal: AbortSignal,
): Promise<void> {
  if (replacements.length === 0) return;
  await syncFileSystem(layout.directory);
  signal.throwIfAborted();
  await underLock(layout, signal, async () => {
    ensureDirectory(layout.quarantine);
    for (const { place, good } of replacements) {
      // An image that is made again may be another one: with seals, or by a later version.
      const isObject = good !== undefined && place.startsWith(`${layout.objects}/`);
      using inUse = isObject ? InodeInUse.open(place) : undefined;
      const kept = keepBad(layout, place);
      if (good === undefined) {
        rmSync(place, { force: true });
      } else {
        ensureDirectory(dirname(place));
        openLikePlace(layout, good, place);
        renameSync(good, place);
        if (kept !== undefined) inUse?.healFrom(place, kept);
      }
    }
    syncDirectory(layout.quarantine);
    await syncFileSystem(layout.directory);
  });
}

/** @returns where it is kept; undefined where there was nothing. */
function keepBad(layout: StoreLayout, place: string): string | undefined {
  if (lstatSync(place, { throwIfNoEntry: false }) === undefined) return undefined;
  const inStore = place.slice(join(layout.directory, '/').length);
  const name = `${inStore.replaceAll('/', '-')}.${randomBytes(4).toString('hex')}`;
  const kept = join(layout.quarantine, name);
  try {
    linkSync(place, kept);
  } catch (error) {
    // A directory has no second name.
    if (!isErrno(error, 'EPERM', 'EISDIR', 'EMLINK')) throw error;
    renameSync(place, kept);
  }
  return kept;
}
