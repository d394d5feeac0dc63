// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import type { StoreLayout } from '../disk/layout.ts';
import { identityOf, type RefRecord } from '../ref/ref-record.ts';
import { readRefFiles } from '../ref/refs.ts';
import { whatIsWrong } from './check-layer.ts';
import { insideStore, strangerOf } from './check-named-files.ts';
import type { Finding, SubjectKind } from './finding.ts';
import { placeOf } from './place-of.ts';

export interface CheckedRefs {
  readonly records: readonly RefRecord[];
  /** Refs that do not parse, what they name and is not there, and strangers. */
  readonly findings: readonly Finding[];
}

/**
 * Reads every ref and looks for all it names.
 * @param isDamaged tells what the check found damaged: what a ref names of it is told again, with that need.
 * @throws StoreError FORMAT_TOO_NEW
 */
export function checkRefs(
  layout: StoreLayout,
  isDamaged: (kind: SubjectKind, name: string) => boolean,
): CheckedRefs {
  const records: RefRecord[] = [];
  const findings: Finding[] = [];
  for (const file of readRefFiles(layout.refs)) {
    const name = insideStore(layout, file.path);
    if (file.kind === 'record') records.push(file.record);
    else if (file.kind === 'stranger') findings.push(strangerOf(name));
    else
      findings.push({
        kind: 'ref',
        problem: 'damaged',
        name,
        seen: whatIsWrong(file.error),
        needs: [],
      });
  }
  for (const record of records) findings.push(...faultsOf(layout, record, isDamaged));
  return { records, findings };
}

function faultsOf(
  layout: StoreLayout,
  record: RefRecord,
  isDamaged: (kind: SubjectKind, name: string) => boolean,
): Finding[] {
  const { treeId, layers, manifestDigest, indexDigest, imageId, signatures } = record;
  const blobs = [manifestDigest, indexDigest, imageId, ...signatures.map(({ digest }) => digest)];
  const named: { readonly kind: SubjectKind; readonly name: string }[] = [
    { kind: 'tree', name: treeId },
    ...layers.map((layer) => ({ kind: 'layer' as const, name: identityOf(layer).key })),
    ...blobs
      .filter((digest) => digest !== undefined)
      .map((digest) => ({ kind: 'blob' as const, name: digest })),
  ];
  const needs = [{ treeId, paths: [] }];
  return named.flatMap(({ kind, name }): Finding[] => {
    if (lstatSync(placeOf(layout, { kind, name }), { throwIfNoEntry: false }) === undefined) {
      return [{ kind, problem: 'missing', name, seen: 'is not there', needs }];
    }
    return isDamaged(kind, name) ? [{ kind, problem: 'damaged', name, seen: '', needs }] : [];
  });
}
