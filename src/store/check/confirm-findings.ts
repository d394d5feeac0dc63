// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { underLock } from '../disk/transaction-directory.ts';
import type { RefRecord } from '../ref/ref-record.ts';
import { readRefFiles } from '../ref/refs.ts';
import { placeOf } from './place-of.ts';
import type { Finding } from './finding.ts';

export interface RootsOfNow {
  readonly generationTrees: () => ReadonlySet<Digest>;
  readonly signal: AbortSignal;
}

/**
 * Drops what is no fault any more, or never was one: what a collection removed, with the names that
 * needed it, while the check went by. The store's lock is held, for as long as looking takes, only
 * when there is something to be looked at again.
 */
export async function confirmFindings(
  layout: StoreLayout,
  findings: readonly Finding[],
  roots: RootsOfNow,
): Promise<{ readonly findings: readonly Finding[]; readonly refs: readonly RefRecord[] }> {
  const look = (): { findings: readonly Finding[]; refs: readonly RefRecord[] } => {
    const records = readRefFiles(layout.refs).flatMap((file) =>
      file.kind === 'record' ? [file.record] : [],
    );
    const used = new Set([...records.map(({ treeId }) => treeId), ...roots.generationTrees()]);
    const kept = findings.flatMap((finding) => stillTrue(layout, finding, used));
    return { findings: kept, refs: records };
  };
  if (findings.every(({ problem }) => problem === 'stranger')) return look();
  try {
    return await underLock(layout, roots.signal, look);
  } catch (error) {
    // Nobody collects in a store that nobody can write.
    if (!isErrno(error, 'EROFS', 'EACCES')) throw error;
    return look();
  }
}

function stillTrue(layout: StoreLayout, finding: Finding, used: ReadonlySet<Digest>): Finding[] {
  const needs = finding.needs.filter(({ treeId }) => used.has(treeId));
  const isThere = lstatSync(placeOf(layout, finding), { throwIfNoEntry: false }) !== undefined;
  if (finding.problem === 'missing')
    return isThere || needs.length === 0 ? [] : [{ ...finding, needs }];
  return isThere ? [{ ...finding, needs }] : [];
}
