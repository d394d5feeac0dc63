// SPDX-License-Identifier: Apache-2.0
import { countField } from './tar-fields.ts';
import type { SparseSegment } from './sparse-map.ts';

// GNU tar's oldest form, typeflag `S`: four segments of 12 + 12 bytes at 386 of the header, a flag
// at 482 that blocks of 21 more follow (their own flag at 504), the size of the file at 483.

const SEGMENT_BYTES = 24;

/** One block's worth of an old GNU sparse map. */
export interface GnuSparseBlock {
  readonly segments: SparseSegment[];
  /** Another block of segments follows. */
  readonly continues: boolean;
}

export function gnuSparseFileBytes(header: Buffer, at: number): number {
  return countField(header, at + 483, 12, 'size of a sparse file');
}

export function gnuSparseHeader(header: Buffer, at: number): GnuSparseBlock {
  return { segments: segments(header, at + 386, 4), continues: header[at + 482] !== 0 };
}

export function gnuSparseExtension(block: Buffer): GnuSparseBlock {
  return { segments: segments(block, 0, 21), continues: block[504] !== 0 };
}

function segments(block: Buffer, start: number, count: number): SparseSegment[] {
  const found: SparseSegment[] = [];
  for (let at = start; at < start + count * SEGMENT_BYTES; at += SEGMENT_BYTES) {
    if (block[at] === 0) break;
    found.push({
      offset: countField(block, at, 12, 'offset of a sparse segment'),
      sizeBytes: countField(block, at + 12, 12, 'size of a sparse segment'),
    });
  }
  return found;
}
