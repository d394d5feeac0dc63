// SPDX-License-Identifier: Apache-2.0

/** The kinds of things that a collection removes. */
export const REMOVED_KINDS = [
  'objects',
  'layers',
  'trees',
  'images',
  'blobs',
  'removed',
  'downloads',
  'quarantine',
  'imports',
] as const;

export type RemovedKind = (typeof REMOVED_KINDS)[number];

export interface Removed {
  readonly count: number;
  readonly bytes: number;
}

/** What was removed, or would be. */
export class Removals {
  readonly #kinds = new Map<RemovedKind, Removed>();

  add(kind: RemovedKind, bytes: number): void {
    const { count, bytes: before } = this.of(kind);
    this.#kinds.set(kind, { count: count + 1, bytes: before + bytes });
  }

  of(kind: RemovedKind): Removed {
    return this.#kinds.get(kind) ?? { count: 0, bytes: 0 };
  }

  /** Bytes of files that went; what a file system needs for names and tables is not in it. */
  get bytes(): number {
    return REMOVED_KINDS.reduce((sum, kind) => sum + this.of(kind).bytes, 0);
  }

  toJSON(): Readonly<Record<RemovedKind, Removed>> {
    return Object.fromEntries(REMOVED_KINDS.map((kind) => [kind, this.of(kind)])) as Record<
      RemovedKind,
      Removed
    >;
  }
}
