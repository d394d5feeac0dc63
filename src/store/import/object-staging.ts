// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync, renameSync, unlinkSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { digestHex } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { DigestSet } from '../disk/digest-set.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { isObjectThere } from '../disk/object-there.ts';
import { writeWhole } from '../disk/write-whole.ts';
import type { NewObjects } from './import-messages.ts';
import type { Borrowing } from './borrowing.ts';

const OBJECT_MODE = 0o400;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/**
 * Writes the objects that one thread of an import brings, into the directory of the import. That is
 * flat, because its inodes then lie together, which ext4 writes faster than 256 shards; and all threads
 * share it, so that each content is written once.
 */
export class ObjectStaging {
  readonly #layout: StoreLayout;
  readonly #directory: string;
  readonly #borrowing: Borrowing;
  readonly #thread: string;
  readonly #staged = new DigestSet();
  readonly #reused = new DigestSet();
  #unreportedStaged: Digest[] = [];
  #unreportedReused: Digest[] = [];
  #writtenBytes = 0;
  #unnamed = 0;

  /** @param thread a word that no other thread of the import has. */
  constructor(layout: StoreLayout, directory: string, borrowing: Borrowing, thread: string) {
    this.#layout = layout;
    this.#borrowing = borrowing;
    this.#directory = directory;
    this.#thread = thread;
  }

  /** True when the bytes need not be written: staged already, or an object of the store. */
  has(digest: Digest, sizeBytes: number): boolean {
    if (this.#staged.has(digest) || this.#reused.has(digest)) return true;
    if (this.#borrowing === 'nothing' || !isObjectThere(this.#layout, digest, sizeBytes)) {
      return false;
    }
    this.#reused.add(digest);
    this.#unreportedReused.push(digest);
    return true;
  }

  /** Stages the bytes with this digest, which this thread has not staged yet. */
  put(digest: Digest, pieces: readonly Uint8Array[]): void {
    const fd = this.#create(digest);
    if (fd !== undefined) {
      try {
        for (const piece of pieces) {
          writeWhole(fd, piece);
          this.#writtenBytes += piece.length;
        }
      } finally {
        closeSync(fd);
      }
    }
    this.#add(digest);
  }

  /** A file to write an object to whose digest is not known yet. */
  open(): UnnamedObject {
    this.#unnamed += 1;
    const path = `${this.#directory}/unnamed-${this.#thread}-${this.#unnamed}`;
    return { path, fd: openSync(path, CREATE, OBJECT_MODE) };
  }

  /** Appends to what {@link open} began. */
  append(object: UnnamedObject, piece: Uint8Array): void {
    writeWhole(object.fd, piece);
    this.#writtenBytes += piece.length;
  }

  /** Names what {@link open} began and closes it. Bytes that are there already are dropped. */
  close(object: UnnamedObject, digest: Digest, sizeBytes: number): void {
    closeSync(object.fd);
    if (this.has(digest, sizeBytes)) {
      unlinkSync(object.path);
      return;
    }
    renameSync(object.path, this.#path(digest));
    this.#add(digest);
  }

  /** Bytes written since this was last asked. */
  takeWrittenBytes(): number {
    const bytes = this.#writtenBytes;
    this.#writtenBytes = 0;
    return bytes;
  }

  /** What {@link has}, {@link put} and {@link close} met since this was last asked. */
  takeNews(): NewObjects {
    const news = { staged: this.#unreportedStaged, reused: this.#unreportedReused };
    this.#unreportedStaged = [];
    this.#unreportedReused = [];
    return news;
  }

  /** Undefined when another thread has begun the same object: what fails it fails the import. */
  #create(digest: Digest): number | undefined {
    try {
      return openSync(this.#path(digest), CREATE, OBJECT_MODE);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return undefined;
      throw error;
    }
  }

  #add(digest: Digest): void {
    this.#staged.add(digest);
    this.#unreportedStaged.push(digest);
  }

  #path(digest: Digest): string {
    return `${this.#directory}/${digestHex(digest)}`;
  }
}

export interface UnnamedObject {
  readonly path: string;
  readonly fd: number;
}
