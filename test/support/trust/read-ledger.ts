// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../../src/base/log.ts';
import { openStore } from '../../../src/store/store.ts';

/** A decision, as far as the tests look at it. */
export interface LedgerLine {
  readonly verb: string;
  readonly source: string;
  readonly container?: string;
  readonly manifestDigest: string;
  readonly verdict: { readonly allowed: boolean };
}

/** What a ledger holds: its files in the order of time. */
export interface Ledger {
  /** The lines that say something, as they stand there. */
  readonly lines: readonly string[];
  /** The others, and how many whole lines stand before each. */
  readonly torn: readonly { readonly behind: number; readonly text: string }[];
}

/** The ledger of a store, which may have none. */
export function readLedger(store: string): Ledger {
  const lines: string[] = [];
  const torn: { behind: number; text: string }[] = [];
  for (const suffix of ['.4', '.3', '.2', '.1', '']) {
    const path = join(store, `log/decisions.jsonl${suffix}`);
    if (!existsSync(path)) continue;
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      if (isWhole(text)) lines.push(text);
      else if (text !== '') torn.push({ behind: lines.length, text });
    }
  }
  return { lines, torn };
}

/** Asserts that what has a name in a store, and what is installed from it, was let in by a decision that can be read. */
export async function assertRecorded(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const admitted = new Set(
    readLedger(directory)
      .lines.map((line) => JSON.parse(line) as LedgerLine)
      .filter(({ verdict }) => verdict.allowed)
      .map(({ manifestDigest }) => manifestDigest),
  );
  const store = await openStore(directory, { log: silentLog });
  for (const { source, manifestDigest } of store.listRefs())
    assert.ok(admitted.has(manifestDigest), `no decision let ${source} in`);
  for (const file of globSync('containers/*/current/generation.json', { cwd: directory })) {
    const { image } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as {
      readonly image: { readonly manifestDigest: string };
    };
    assert.ok(admitted.has(image.manifestDigest), `no decision let the image of ${file} in`);
  }
}

function isWhole(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
