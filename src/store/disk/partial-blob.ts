// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
} from 'node:fs';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { FileLock } from '../../sys/flock.ts';
import { ensureDirectory } from './ensure-directory.ts';
import type { StoreLayout } from './layout.ts';
import { storeFailure } from './store-failure.ts';
import { writeWhole } from './write-whole.ts';

const READ_BYTES = 1024 * 1024;

// What this promises: at most one process appends to a file in `downloads/`, and what lies there is what
// came over the network up to where it stopped, or less. It does not promise that the bytes are right:
// nothing is synced, so a power cut may leave anything. Whoever uses them checks the whole blob's digest.

/** The beginning of a blob, kept from one run to the next: `downloads/<hex>`, locked by its owner. */
export class PartialBlob implements Disposable {
  readonly #path: string;
  readonly #lock: FileLock;
  readonly #log: Log;
  readonly #fd: number;
  #sizeBytes: number;
  #isKept = true;

  private constructor(path: string, lock: FileLock, log: Log) {
    this.#path = path;
    this.#lock = lock;
    this.#log = log;
    this.#fd = openSync(path, 'r+');
    this.#sizeBytes = fstatSync(this.#fd).size;
  }

  /** Takes the file of a blob, made empty where there is none; undefined while another process has it. */
  static async claim(
    layout: StoreLayout,
    digest: Digest,
    log: Log,
  ): Promise<PartialBlob | undefined> {
    const path = layout.download(digest);
    try {
      ensureDirectory(layout.downloads);
      removeStranger(path, log);
      const lock = await FileLock.tryAcquire(path, 'exclusive');
      if (lock?.isStillOn(path) === true) return new PartialBlob(path, lock, log);
      // Its owner, done with it, removed it between our opening and our locking it.
      lock?.release();
      return undefined;
    } catch (error) {
      log.debug(`not keeping what is fetched of ${digest}: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** How much of the blob is there. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What is there, from the start, in chunks of at most 1 MiB. @throws StoreError */
  async *read(): AsyncGenerator<Buffer, void, undefined> {
    for (let offset = 0; offset < this.#sizeBytes;) {
      const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#sizeBytes - offset));
      const count = this.#readAt(chunk, offset);
      if (count === 0) return;
      offset += count;
      yield chunk.subarray(0, count);
      await eventLoopTurn();
    }
  }

  /** Adds what came next. A disk that does not take it is no reason to fail: the file is given up then. */
  append(chunk: Uint8Array): void {
    if (!this.#isKept) return;
    try {
      writeWhole(this.#fd, chunk, this.#sizeBytes);
      this.#sizeBytes += chunk.length;
    } catch (error) {
      this.#log.debug(`giving up ${this.#path}: ${messageOf(error)}`);
      this.drop();
    }
  }

  /** Forgets what is there; what is appended from here on is the start of the blob. */
  clear(): void {
    this.#sizeBytes = 0;
    if (!this.#isKept) return;
    try {
      ftruncateSync(this.#fd, 0);
    } catch (error) {
      this.#log.debug(`giving up ${this.#path}: ${messageOf(error)}`);
      this.drop();
    }
  }

  /**
   * Removes the file: it is not needed any more, or never will be. Where the disk does not do it, a
   * collection will.
   */
  drop(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#sizeBytes = 0;
    try {
      rmSync(this.#path, { force: true });
      // An unlinked file keeps its space until it is closed; btrfs does not cut one beyond a quota.
      ftruncateSync(this.#fd, 0);
    } catch (error) {
      this.#log.debug(`leaving ${this.#path}: ${messageOf(error)}`);
    }
  }

  /** Leaves the file to the next run, unless it is empty or was dropped. */
  [Symbol.dispose](): void {
    if (this.#sizeBytes === 0) this.drop();
    closeSync(this.#fd);
    this.#lock.release();
  }

  #readAt(chunk: Buffer, offset: number): number {
    try {
      return readSync(this.#fd, chunk, 0, chunk.length, offset);
    } catch (error) {
      throw storeFailure(`reading ${this.#path}`, error);
    }
  }
}

// What this process did not put there would be read, and then emptied: a link to another file, that file.
function removeStranger(path: string, log: Log): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isFile() && stats.nlink === 1 && stats.uid === process.geteuid?.()) return;
  log.warn(`${quote(path)} is no download of this host; it is removed`);
  rmSync(path, { recursive: true, force: true });
}
