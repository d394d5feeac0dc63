// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from './archive-error.ts';
import { gnuSparseExtension, gnuSparseFileBytes, gnuSparseHeader } from './gnu-sparse.ts';
import { isMapInContent, segmentsOf, type SparseKeys, SparseMapText } from './pax-sparse.ts';
import { checkedSparseMap, type SparseSegment } from './sparse-map.ts';
import type { TarHeader } from './tar-header.ts';

/** A sparse file from its header until its map is whole. */
export interface SparseMember {
  readonly header: TarHeader;
  /** Of the file with its holes. */
  readonly fileBytes: number;
  /** The map needs more blocks: {@link push}. */
  readonly isComplete: boolean;
  /** Bytes of the stored content that the map took (PAX 1.0). */
  readonly mapBytesInContent: number;
  /** Bytes that were pushed. */
  readonly pushedBytes: number;
  /** @throws ArchiveError `BAD_SPARSE_MAP` */
  push(block: Buffer): void;
  /** The complete map. @throws ArchiveError `BAD_SPARSE_MAP` when it does not use up `storedBytes`. */
  segments(storedBytes: number): SparseSegment[];
}

/** A member of type `S`, whose map begins in its header. @throws ArchiveError `BAD_HEADER`, `BAD_SPARSE_MAP` */
export class GnuSparseMember implements SparseMember {
  readonly header: TarHeader;
  readonly fileBytes: number;
  readonly mapBytesInContent = 0;
  readonly #segments: SparseSegment[];
  isComplete: boolean;
  pushedBytes = 0;

  constructor(header: TarHeader, block: Buffer, at: number) {
    if (header.format !== 'gnu') {
      throw new ArchiveError('BAD_HEADER', 'a GNU sparse file has no GNU header');
    }
    const { segments, continues } = gnuSparseHeader(block, at);
    this.header = header;
    this.fileBytes = gnuSparseFileBytes(block, at);
    this.#segments = segments;
    this.isComplete = !continues;
  }

  push(block: Buffer): void {
    const { segments, continues } = gnuSparseExtension(block);
    for (const segment of segments) this.#segments.push(segment);
    this.pushedBytes += block.length;
    this.isComplete = !continues;
  }

  segments(storedBytes: number): SparseSegment[] {
    return checkedSparseMap(this.#segments, this.fileBytes, storedBytes);
  }
}

/** A regular member whose PAX header says that it is sparse. @throws ArchiveError `BAD_SPARSE_MAP` */
export class PaxSparseMember implements SparseMember {
  readonly header: TarHeader;
  readonly fileBytes: number;
  readonly #text = new SparseMapText();
  readonly #isMapInContent: boolean;
  #segments: SparseSegment[] | undefined;
  pushedBytes = 0;

  constructor(header: TarHeader, keys: SparseKeys) {
    this.header = header;
    this.#isMapInContent = isMapInContent(keys);
    if (keys.fileBytes === undefined) throw badMap('a sparse file does not say its size');
    if (this.#isMapInContent !== (keys.numbers === undefined)) {
      throw badMap('a sparse file has no map, or two');
    }
    this.fileBytes = keys.fileBytes;
    this.#segments = keys.numbers === undefined ? undefined : segmentsOf(keys.numbers);
  }

  get isComplete(): boolean {
    return this.#segments !== undefined;
  }

  get mapBytesInContent(): number {
    return this.#isMapInContent ? this.pushedBytes : 0;
  }

  push(block: Buffer): void {
    this.pushedBytes += block.length;
    this.#segments = this.#text.push(block);
  }

  segments(storedBytes: number): SparseSegment[] {
    return checkedSparseMap(this.#segments ?? [], this.fileBytes, storedBytes);
  }
}

function badMap(message: string): ArchiveError {
  return new ArchiveError('BAD_SPARSE_MAP', message);
}
