// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { StoredLayer } from '../layer/stored-layer.ts';
import { brokenFile, wrongMode } from './check-file.ts';
import type { CheckMode, CheckResult } from './check-named-files.ts';
import type { Finding, Problem } from './finding.ts';
import type { StatRecord } from './stat-record.ts';

const FILE_MODE = 0o600;
const SCRATCH = Buffer.allocUnsafe(64 * 1024);

/** Checks a layer file: header, entries, and the content of each small file. */
export function checkLayer(
  layout: StoreLayout,
  key: LayerKey,
  mode: CheckMode,
  record: StatRecord,
): CheckResult {
  const path = layout.layer(key);
  const found = (problem: Problem, seen: string): Finding => ({
    kind: 'layer',
    problem,
    name: key,
    seen,
    needs: [],
  });
  let findings: readonly Finding[] = [];
  let readBytes = 0;
  try {
    const stats = lstatSync(path, { bigint: true });
    const wrong = wrongMode(stats, { ...mode, mode: FILE_MODE });
    if (!(mode.fast && record.knows(key, stats))) {
      readContents(path, key);
      readBytes = Number(stats.size);
    }
    if (wrong === undefined) record.note(key, stats);
    else findings = [found('mode', wrong)];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { findings: [], files: 0, readBytes: 0 };
    findings = [found('damaged', whatIsWrong(error))];
  }
  return { findings, files: 1, readBytes };
}

/** What a failed read says of a file, in words that follow "it". @throws what says nothing about it. */
export function whatIsWrong(error: unknown): string {
  if (!(error instanceof StoreError)) return brokenFile(error).seen;
  if (error.code !== 'STORE_DAMAGED') throw error;
  return `is not whole: ${error.message.replace(/^reading /, '')}`;
}

function readContents(path: string, key: LayerKey): void {
  using layer = new StoredLayer(path, key);
  let checked = 0;
  for (const entry of layer.entries()) {
    if (entry.kind !== 'file' || entry.content.kind !== 'inline') continue;
    // Contents lie in the order of their first entries; one behind that was read before.
    if (entry.content.offset < checked) continue;
    layer.readInline(entry.content, SCRATCH);
    checked = entry.content.offset + 1;
  }
}
