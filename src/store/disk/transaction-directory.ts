// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../base/log.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory, writeFileDurably } from '../../sys/durable-file.ts';
import { FileLock } from '../../sys/flock.ts';
import { makeDirectoriesDurably } from '../../sys/make-directories.ts';
import { ensureDirectory } from './ensure-directory.ts';
import { printFormat, probeFormat } from './format-file.ts';
import type { StoreLayout } from './layout.ts';
import { namesIn } from './names-in.ts';

/**
 * A directory in `txn/` that belongs to one running import: its name says boot and process, its
 * flock says that the process lives. Directories are made, and found dead, only under the store's
 * lock, so nobody ever sees one between its making and its locking.
 */
export class TransactionDirectory implements Disposable {
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes the store where there is none, and removes the directories of the dead. */
  static async create(
    layout: StoreLayout,
    log: Log,
    signal: AbortSignal,
  ): Promise<TransactionDirectory> {
    makeStoreDirectories(layout);
    const dead: TransactionDirectory[] = [];
    using undo = new DisposableStack();
    const own = await underLock(layout, signal, async () => {
      dead.push(...(await TransactionDirectory.findDead(layout)));
      const created = undo.use(await TransactionDirectory.#make(layout));
      if (probeFormat(layout) === 'empty') writeFormat(layout, created.path);
      return created;
    });
    for (const directory of dead) {
      log.debug(`removing what a dead import left: ${directory.path}`);
      directory.remove();
    }
    undo.move();
    return own;
  }

  static async #make(layout: StoreLayout): Promise<TransactionDirectory> {
    const name = `${bootId()}-${process.pid}-${randomBytes(6).toString('hex')}`;
    const path = join(layout.transactions, name);
    mkdirSync(path, { mode: 0o700 });
    return new TransactionDirectory(path, await FileLock.acquire(path, 'exclusive'));
  }

  /** Takes over a directory whose owner is gone; undefined while it lives, and when it has just been removed. */
  static async takeOver(path: string): Promise<TransactionDirectory | undefined> {
    try {
      const lock = await FileLock.tryAcquire(path, 'exclusive');
      return lock === undefined ? undefined : new TransactionDirectory(path, lock);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Takes over all whose owner is gone. The store's lock must be held. */
  static async findDead(layout: StoreLayout): Promise<TransactionDirectory[]> {
    const found: TransactionDirectory[] = [];
    for (const name of namesIn(layout.transactions)) {
      const directory = await TransactionDirectory.takeOver(join(layout.transactions, name));
      if (directory !== undefined) found.push(directory);
    }
    return found;
  }

  /** Leaves it as it is, to whoever takes it over next. */
  release(): void {
    this.#lock.release();
  }

  /** Removes it and all that is in it. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** Runs `action` with the store's lock: everybody who changes what is outside `txn/` holds it. */
export async function underLock<T>(
  layout: StoreLayout,
  signal: AbortSignal,
  action: () => T | Promise<T>,
): Promise<T> {
  const lock = await FileLock.acquire(layout.lock, 'exclusive', signal);
  try {
    return await action();
  } finally {
    lock.release();
  }
}

function makeStoreDirectories(layout: StoreLayout): void {
  const isNew = !existsSync(layout.format);
  if (isNew && probeFormat(layout) === 'empty') {
    makeDirectoriesDurably(dirname(layout.directory), 0o777);
    ensureDirectory(layout.directory);
    // A mount point, or a directory that was made ahead, may be open to others.
    chmodSync(layout.directory, 0o700);
  }
  const { objects, layers, trees, images, blobs, refs, transactions } = layout;
  const directories = [objects, layers, trees, images, dirname(blobs), blobs, refs, transactions];
  for (const directory of directories) ensureDirectory(directory);
}

function writeFormat(layout: StoreLayout, staging: string): void {
  const staged = join(staging, 'format.json');
  writeFileDurably(staged, printFormat(), 0o600);
  renameSync(staged, layout.format);
  syncDirectory(layout.directory);
  syncDirectory(dirname(layout.directory));
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
}
