// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/sysct-error.ts';
import type { Log } from '../../base/log.ts';
import { FileLock } from '../../sys/flock.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { TransactionDirectory, underLock } from '../disk/transaction-directory.ts';
import { bytesBelow } from './bytes-below.ts';
import type { Removals } from './removals.ts';

const DAY_MS = 86_400_000;
/** A partial download that nobody went on with for so long is not gone on with. */
const DOWNLOAD_DAYS = 7;
/** Long enough for a look at what a check took out. */
const QUARANTINE_DAYS = 30;

export interface LeftoverParts {
  readonly layout: StoreLayout;
  readonly mode: 'remove' | 'look';
  /** Whether age matters. */
  readonly leftovers: 'old' | 'all';
  readonly now: Date;
  readonly removals: Removals;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Removes the directories in `txn/` of processes that are gone. Returns their paths: nothing in them counts. */
export async function removeDeadTransactions(parts: LeftoverParts): Promise<ReadonlySet<string>> {
  const { layout, mode, removals, signal, log } = parts;
  const dead = await underLock(
    layout,
    signal,
    async () => await TransactionDirectory.findDead(layout),
  );
  for (const directory of dead) {
    removals.add('imports', bytesBelow(directory.path));
    if (mode === 'look') {
      directory.release();
      continue;
    }
    log.debug(`removing what a dead import left: ${directory.path}`);
    directory.remove();
  }
  return new Set(dead.map(({ path }) => path));
}

/** Removes old parts of downloads that nobody holds, and what has been in quarantine for long. */
export async function removeLeftovers(parts: LeftoverParts): Promise<void> {
  const { layout } = parts;
  for (const { path, stat } of entriesOf(layout.downloads)) {
    if (!isOld(stat, DOWNLOAD_DAYS, parts)) continue;
    // Nobody holds what is no file; to lock a link would make the file that it leads to.
    if (stat.isFile()) await removeUnheld(path, parts);
    else removeAll('downloads', path, parts);
  }
  for (const { path, stat } of entriesOf(layout.quarantine)) {
    if (isOld(stat, QUARANTINE_DAYS, parts)) removeAll('quarantine', path, parts);
  }
}

async function removeUnheld(path: string, parts: LeftoverParts): Promise<void> {
  using lock = await FileLock.tryAcquire(path, 'exclusive');
  // Its owner may have ended, and another have begun anew, between our opening and our locking it.
  if (lock?.isStillOn(path) === true) removeAll('downloads', path, parts);
}

function removeAll(
  kind: 'downloads' | 'quarantine',
  path: string,
  { mode, removals }: LeftoverParts,
): void {
  removals.add(kind, bytesBelow(path));
  if (mode === 'remove') rmSync(path, { recursive: true, force: true });
}

// The time of a link or rename is in ctime: mtime may be that of the content from long ago.
function isOld(stat: Stats, days: number, { leftovers, now }: LeftoverParts): boolean {
  const changed = Math.max(stat.mtimeMs, stat.ctimeMs);
  return leftovers === 'all' || now.getTime() - changed > days * DAY_MS;
}

function entriesOf(directory: string): { readonly path: string; readonly stat: Stats }[] {
  try {
    return readdirSync(directory).flatMap((name) => {
      const path = join(directory, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ path, stat }];
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
