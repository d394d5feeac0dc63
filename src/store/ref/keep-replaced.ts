// SPDX-License-Identifier: Apache-2.0
import type { StoreLayout } from '../disk/layout.ts';
import type { RefRecord } from './ref-record.ts';
import { readRefLike } from './refs.ts';
import { writeTombstone } from './tombstones.ts';

/** Keeps what `record` is about to replace for a while: others may still read what the name stood for. */
export function keepReplaced(layout: StoreLayout, record: RefRecord, graceMs: number): void {
  if (graceMs === 0) return;
  const replaced = readRefLike(layout.refs, record);
  if (replaced === undefined || replaced.treeId === record.treeId) return;
  writeTombstone(layout.removed, { removedAt: new Date(), record: replaced });
}
