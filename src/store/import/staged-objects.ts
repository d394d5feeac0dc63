// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, renameSync, statSync } from 'node:fs';
import type { Digest } from '../../base/digest.ts';
import { digestHex } from '../../base/digest.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';
import { DigestSet } from '../disk/digest-set.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { directoryModeIn } from '../disk/open-to-others.ts';
import { EarlySync } from './early-sync.ts';
import type { NewObjects } from './import-messages.ts';
import type { Borrowing } from './borrowing.ts';

/** The objects that one import brings, of all its threads: files in its directory until {@link publish}. */
export class StagedObjects {
  /** Where each {@link ./object-staging.ts} of the import writes. */
  readonly directory: string;
  readonly #layout: StoreLayout;
  readonly #borrowing: Borrowing;
  readonly #earlySync: EarlySync;
  readonly #staged = new DigestSet();
  readonly #reused = new DigestSet();
  readonly #published = new DigestSet();

  /** @param directory which must not exist, on the store's file system. */
  constructor(layout: StoreLayout, directory: string, borrowing: Borrowing) {
    this.#layout = layout;
    this.#borrowing = borrowing;
    this.directory = directory;
    mkdirSync(directory, { mode: 0o700 });
    this.#earlySync = new EarlySync(directory);
  }

  /** Takes note of what one thread did. */
  add({ staged, reused }: NewObjects): void {
    // What one thread staged another may have found staged, and report when it has its name.
    for (const digest of staged) if (!this.#published.has(digest)) this.#staged.add(digest);
    for (const digest of reused) this.#reused.add(digest);
  }

  /** The paths of staged objects; of those of `digests` that are. */
  paths(digests: Iterable<Digest> = this.#staged): readonly string[] {
    return [...digests].flatMap((digest) => this.pathOf(digest) ?? []);
  }

  /** Where an object is staged; undefined for one that was not. */
  pathOf(digest: Digest): string | undefined {
    return this.#staged.has(digest) ? this.#path(digest) : undefined;
  }

  /** Says that so many bytes were written, so that the disk can begin with them. */
  noteWritten(bytes: number): void {
    this.#earlySync.note(bytes);
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
    // One thread may have found in the store what another one staged.
    for (const digest of this.#reused) if (!this.#staged.has(digest)) yield digest;
    for (const digest of needed) {
      if (!this.#staged.has(digest) && !this.#reused.has(digest)) yield digest;
    }
  }

  /** Renames staged objects to their places. They must be durable, and the store's lock held. */
  publish(digests: Iterable<Digest> = this.#staged): void {
    const shards = new Set<string>();
    const mode = directoryModeIn(this.#layout.objects);
    // After all of them nothing follows that would ask.
    const isLast = digests === this.#staged;
    for (const digest of digests) {
      if (!this.#staged.delete(digest)) continue;
      if (!isLast) {
        this.#published.add(digest);
        this.#reused.add(digest);
      }
      const hex = digestHex(digest);
      const shard = hex.slice(0, 2);
      if (!shards.has(shard)) {
        ensureDirectory(`${this.#layout.objects}/${shard}`, mode);
        shards.add(shard);
      }
      const staged = this.#path(digest);
      const path = this.#layout.object(digest);
      // What is there is in use, perhaps; what lacks its end is replaced.
      if (this.#borrowing === 'nothing' && isSameSize(path, staged)) continue;
      renameSync(staged, path);
    }
  }

  #path(digest: Digest): string {
    return `${this.directory}/${digestHex(digest)}`;
  }
}

function isSameSize(path: string, other: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === statSync(other).size;
}
