// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { digestHex } from '../../base/digest.ts';
import { EarlySync } from './early-sync.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { writeWhole } from '../disk/write-whole.ts';

const OBJECT_MODE = 0o400;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** Whether an import counts on what the store has, which may be collected before it commits. */
export type Borrowing = 'what-is-there' | 'nothing';

/**
 * The objects that one import brings: files in its directory until {@link publish}. All layers of
 * the import share it, so each content is written once. The staging is one flat directory: its
 * inodes lie together, which ext4 writes faster than 256 shards.
 */
export class ObjectStaging {
  readonly #layout: StoreLayout;
  readonly #directory: string;
  readonly #earlySync: EarlySync;
  readonly #staged = new Set<Digest>();
  readonly #reused = new Set<Digest>();
  readonly #borrowing: Borrowing;
  #unnamed = 0;

  /** @param directory which must not exist, on the store's file system. */
  constructor(layout: StoreLayout, directory: string, borrowing: Borrowing) {
    this.#layout = layout;
    this.#borrowing = borrowing;
    this.#directory = directory;
    mkdirSync(directory, { mode: 0o700 });
    this.#earlySync = new EarlySync(directory);
  }

  /** True when the bytes need not be written: staged already, or an object of the store. */
  has(digest: Digest, sizeBytes: number): boolean {
    if (this.#staged.has(digest) || this.#reused.has(digest)) return true;
    if (this.#borrowing === 'nothing' || !isObjectThere(this.#layout, digest, sizeBytes)) {
      return false;
    }
    this.#reused.add(digest);
    return true;
  }

  /** Stages the bytes with this digest, which are not there yet. */
  put(digest: Digest, pieces: readonly Uint8Array[]): void {
    const fd = openSync(this.#path(digest), CREATE, OBJECT_MODE);
    try {
      for (const piece of pieces) writeWhole(fd, piece);
    } finally {
      closeSync(fd);
    }
    this.#staged.add(digest);
    this.#earlySync.note(pieces.reduce((sum, { length }) => sum + length, 0));
  }

  /** A file to write an object to whose digest is not known yet. */
  open(): UnnamedObject {
    this.#unnamed += 1;
    const path = `${this.#directory}/unnamed-${this.#unnamed}`;
    return { path, fd: openSync(path, CREATE, OBJECT_MODE) };
  }

  /** Names what {@link open} began and closes it. Bytes that are there already are dropped. */
  close(object: UnnamedObject, digest: Digest, sizeBytes: number): void {
    closeSync(object.fd);
    if (this.has(digest, sizeBytes)) {
      unlinkSync(object.path);
      return;
    }
    renameSync(object.path, this.#path(digest));
    this.#staged.add(digest);
    this.#earlySync.note(sizeBytes);
  }

  /** Says that all objects are written: has the disk begin with them now. */
  complete(): void {
    this.#earlySync.start();
  }

  /** Waits until no sync runs, and throws what one of them met. To be called before the commit's own. */
  async settle(): Promise<void> {
    await this.#earlySync.settle();
  }

  /** Objects that the import counts on and that must be in the store: those of `needed` it did not stage, and those it reused. */
  *borrowed(needed: Iterable<Digest>): Generator<Digest, void, undefined> {
    yield* this.#reused;
    for (const digest of needed) {
      if (!this.#staged.has(digest) && !this.#reused.has(digest)) yield digest;
    }
  }

  /** Renames all staged objects to their places. They must be durable, and the store's lock held. */
  publish(): void {
    const shards = new Set<string>();
    for (const digest of this.#staged) {
      const shard = digestHex(digest).slice(0, 2);
      if (!shards.has(shard)) {
        ensureDirectory(`${this.#layout.objects}/${shard}`);
        shards.add(shard);
      }
      const path = this.#layout.object(digest);
      // What is there is in use, perhaps; what lacks its end is replaced.
      if (this.#borrowing === 'nothing' && isSameSize(path, this.#path(digest))) continue;
      renameSync(this.#path(digest), path);
    }
  }

  #path(digest: Digest): string {
    return `${this.#directory}/${digestHex(digest)}`;
  }
}

export interface UnnamedObject {
  readonly path: string;
  readonly fd: number;
}

function isSameSize(path: string, other: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === statSync(other).size;
}

/** True when an object of this size is there; one of another size is damaged and counts as absent. */
export function isObjectThere(layout: StoreLayout, digest: Digest, sizeBytes: number): boolean {
  return statSync(layout.object(digest), { throwIfNoEntry: false })?.size === sizeBytes;
}
