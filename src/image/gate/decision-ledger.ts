// SPDX-License-Identifier: Apache-2.0
import { lstatSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../base/log.ts';
import { printable } from '../../base/printable.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import { ensureDirectory } from '../../store/disk/ensure-directory.ts';
import type { StoreLayout } from '../../store/disk/layout.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import { storeFailure } from '../../store/disk/store-failure.ts';
import { appendLineDurably } from '../../sys/append-line.ts';
import { syncDirectory } from '../../sys/durable-file.ts';
import { FileLock } from '../../sys/flock.ts';
import { makeDirectoriesDurably } from '../../sys/make-directories.ts';
import { type DecidingVerb, type Decision, printDecision } from './decision.ts';

export interface LedgerParts {
  readonly layout: StoreLayout;
  readonly verb: DecidingVerb;
  readonly log: Log;
  readonly now: () => Date;
  /** When the file is given up for a new one; default 8 MiB. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 8 * 1024 * 1024;
/** Old files: `decisions.jsonl.1` is the newest of them. */
const KEPT = 4;

/**
 * `log/decisions.jsonl` in the store: what the gate decided, when and why, a line each, in the order of time. Only ever
 * appended to; nothing of sysct reads it.
 */
export class DecisionLedger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /**
   * Records a decision before anything follows from it. An admission that cannot be recorded is none; a
   * refusal that cannot be is warned of, and stays one. So is what `verify` finds, which lets nothing in.
   *
   * @throws StoreError when an admission cannot be recorded
   */
  async record(decided: Omit<Decision, 'at' | 'verb'>): Promise<void> {
    const { verb, log, now } = this.#parts;
    const doing = `recording the decision about ${printable(decided.source)}`;
    try {
      await this.#append(printDecision({ at: now().toISOString(), verb, ...decided }));
    } catch (error) {
      const failure = storeFailure(doing, error);
      if (verb !== 'verify' && decided.verdict.allowed) throw failure;
      // Everybody may verify, and only who owns the store can write there.
      const isOthers = failure instanceof StoreError && failure.code === 'STORE_NOT_PERMITTED';
      if (verb === 'verify' && isOthers) log.debug(messageOf(failure));
      else log.warn(messageOf(failure));
    }
  }

  async #append(line: string): Promise<void> {
    const { layout, log, maxBytes = MAX_BYTES } = this.#parts;
    const above = dirname(layout.directory);
    makeDirectoriesDurably(above, 0o777);
    if (ensureDirectory(layout.directory)) syncDirectory(above);
    if (ensureDirectory(layout.log)) syncDirectory(layout.directory);
    const path = join(layout.log, 'decisions.jsonl');
    try {
      await rotate(path, maxBytes);
    } catch (error) {
      // Whoever may not look at it may not add to it either, and that says so.
      if (!isErrno(error, 'EACCES'))
        log.warn(`${path} is not given up for a new file: ${messageOf(error)}`);
    }
    await appendLineDurably(path, line, 0o600);
  }
}

/** Who has the old file open by then ends its line there. */
async function rotate(path: string, maxBytes: number): Promise<void> {
  if (!isFull(path, maxBytes)) return;
  using lock = await FileLock.acquire(dirname(path), 'exclusive');
  void lock;
  if (!isFull(path, maxBytes)) return;
  for (let n = KEPT; n > 0; n -= 1) {
    try {
      renameSync(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  syncDirectory(dirname(path));
}

function isFull(path: string, maxBytes: number): boolean {
  return (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) >= maxBytes;
}
