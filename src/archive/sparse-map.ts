// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from './archive-error.ts';

/** Where the stored bytes of a sparse file belong; everything between is a hole. */
export interface SparseSegment {
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * A map whose segments ascend, do not overlap, lie within the file, and use up the stored bytes
 * exactly. Segments without bytes, which writers put at the end, are left out.
 * @throws ArchiveError `BAD_SPARSE_MAP`
 */
export function checkedSparseMap(
  segments: readonly SparseSegment[],
  fileBytes: number,
  storedBytes: number,
): SparseSegment[] {
  let position = 0;
  let stored = 0;
  for (const { offset, sizeBytes } of segments) {
    if (offset < position)
      throw new ArchiveError('BAD_SPARSE_MAP', 'the sparse map goes backwards');
    position = offset + sizeBytes;
    stored += sizeBytes;
    if (position > fileBytes) {
      throw new ArchiveError('BAD_SPARSE_MAP', 'the sparse map reaches beyond the end of the file');
    }
  }
  if (stored !== storedBytes) {
    throw new ArchiveError(
      'BAD_SPARSE_MAP',
      `the sparse map places ${stored} bytes, the archive has ${storedBytes}`,
    );
  }
  return segments.filter((segment) => segment.sizeBytes > 0);
}

const HOLE_PAGE_BYTES = 256 * 1024;

/** Puts the holes back between the stored bytes of a sparse file. */
export class SparseContent {
  readonly #segments: readonly SparseSegment[];
  readonly #fileBytes: number;
  readonly #emit: (chunk: Buffer) => void;
  #zeros: Buffer | undefined;
  #nextSegment = 0;
  #position = 0;
  #leftInSegment = 0;

  /** `segments` as {@link checkedSparseMap} returns them. */
  constructor(
    segments: readonly SparseSegment[],
    fileBytes: number,
    emit: (chunk: Buffer) => void,
  ) {
    this.#segments = segments;
    this.#fileBytes = fileBytes;
    this.#emit = emit;
  }

  /** Emits the hole before the first stored byte; the whole file when nothing is stored. */
  start(): void {
    this.#fillToNextSegment();
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const length = Math.min(this.#leftInSegment, chunk.length - at);
      this.#emit(chunk.subarray(at, at + length));
      at += length;
      this.#position += length;
      this.#leftInSegment -= length;
      if (this.#leftInSegment === 0) this.#fillToNextSegment();
    }
  }

  #fillToNextSegment(): void {
    const segment = this.#segments[this.#nextSegment];
    const end = segment?.offset ?? this.#fileBytes;
    while (this.#position < end) {
      this.#zeros ??= Buffer.alloc(HOLE_PAGE_BYTES);
      const length = Math.min(this.#zeros.length, end - this.#position);
      this.#emit(this.#zeros.subarray(0, length));
      this.#position += length;
    }
    this.#nextSegment += 1;
    this.#leftInSegment = segment?.sizeBytes ?? 0;
  }
}
