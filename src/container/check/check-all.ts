// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '../../base/progress.ts';
import { checkStore } from '../../store/check/check-store.ts';
import type { Finding } from '../../store/check/finding.ts';
import { FindingList } from '../../store/check/finding-list.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import type { Store } from '../../store/store.ts';
import { checkContainers, type TreeUser, treeUsers } from './check-containers.ts';

export interface CheckAllParts {
  readonly store: Store;
  readonly containersPath: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a check of a store with its containers came to. */
export interface CheckAllReport {
  readonly findings: readonly Finding[];
  /** Refs and generations that could be read: who needs what. */
  readonly refs: readonly RefRecord[];
  readonly users: readonly TreeUser[];
  readonly files: number;
  readonly readBytes: number;
}

/** Checks the store and all containers in it. @throws StoreError FORMAT_TOO_NEW */
export async function checkAll(parts: CheckAllParts, fast: boolean): Promise<CheckAllReport> {
  const { store, containersPath, progress, signal } = parts;
  const report = await checkStore(store.layout, {
    fast,
    generationTrees: () => new Set(treeUsers(containersPath).map(({ treeId }) => treeId)),
    progress,
    signal,
  });
  const ofContainers = await checkContainers(containersPath, store, signal);
  const findings = new FindingList();
  findings.add(report.findings);
  findings.add(ofContainers);
  return {
    ...report,
    findings: findings.all(),
    users: treeUsers(containersPath),
  };
}
