// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../base/byte-string.ts';
import { ArchiveError } from './archive-error.ts';
import type { PaxRecord } from './pax-records.ts';
import type { SparseSegment } from './sparse-map.ts';

// GNU tar's three ways to say in PAX that a file is sparse (GNU tar manual, Sparse Formats):
//   0.0  GNU.sparse.size, then GNU.sparse.offset and GNU.sparse.numbytes again and again
//   0.1  GNU.sparse.size, GNU.sparse.map=offset,bytes,offset,bytes…, GNU.sparse.name
//   1.0  GNU.sparse.major=1 .minor=0 .realsize .name; the map stands before the stored bytes,
//        decimal numbers a line: how many segments, then offset and bytes of each; padded to 512

/** The `GNU.sparse.*` records of one header. */
export interface SparseKeys {
  major: string;
  minor: string;
  name: ByteString | undefined;
  fileBytes: number | undefined;
  /** Of 0.0 and 0.1; undefined where no record gave one. */
  numbers: number[] | undefined;
}

const PREFIX = 'GNU.sparse.';

export function isSparseKey(key: ByteString): boolean {
  return key.startsWith(PREFIX);
}

export function emptySparseKeys(): SparseKeys {
  return { major: '', minor: '', name: undefined, fileBytes: undefined, numbers: undefined };
}

/** @throws ArchiveError `BAD_SPARSE_MAP` */
export function readSparseKey(keys: SparseKeys, { block, key, start, end }: PaxRecord): void {
  const text = block.toString('latin1', start, end);
  switch (key.slice(PREFIX.length)) {
    case 'major':
      keys.major = text;
      return;
    case 'minor':
      keys.minor = text;
      return;
    case 'name':
      if (text === '' || text.includes('\0'))
        throw badMap('the name of a sparse file is malformed');
      keys.name = text as ByteString;
      return;
    case 'size':
    case 'realsize':
      keys.fileBytes = decimal(text);
      return;
    case 'map':
      keys.numbers = text === '' ? [] : text.split(',').map(decimal);
      return;
    case 'offset':
      readPairMember(keys, 0, text);
      return;
    case 'numbytes':
      readPairMember(keys, 1, text);
      return;
    case 'numblocks':
      return;
    default:
      throw badMap('a sparse record is of no known kind');
  }
}

/** Offsets and sizes must alternate. */
function readPairMember(keys: SparseKeys, place: 0 | 1, text: string): void {
  keys.numbers ??= [];
  if (keys.numbers.length % 2 !== place) throw badMap('a sparse segment lacks its offset or size');
  keys.numbers.push(decimal(text));
}

/** True when the map stands before the stored bytes (1.0), false when the records hold it (0.0, 0.1). */
export function isMapInContent(keys: SparseKeys): boolean {
  const version = `${keys.major}.${keys.minor}`;
  if (version === '1.0') return true;
  if (version === '0.0' || version === '0.1' || version === '.') return false;
  throw badMap('the sparse format is of an unknown version');
}

/** @throws ArchiveError `BAD_SPARSE_MAP` when the numbers are not pairs. */
export function segmentsOf(numbers: readonly number[]): SparseSegment[] {
  if (numbers.length % 2 !== 0) throw badMap('a sparse segment has no size');
  const segments: SparseSegment[] = [];
  for (let n = 0; n < numbers.length; n += 2) {
    segments.push({ offset: numbers[n] ?? 0, sizeBytes: numbers[n + 1] ?? 0 });
  }
  return segments;
}

/** The map of format 1.0, fed block by block until it is whole. */
export class SparseMapText {
  readonly #numbers: number[] = [];
  #rest = '';
  #wanted = 1;

  /**
   * @returns the segments with the block that completes the map, undefined before.
   * @throws ArchiveError `BAD_SPARSE_MAP`
   */
  push(block: Buffer): SparseSegment[] | undefined {
    const lines = (this.#rest + block.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (this.#numbers.length === this.#wanted) break;
      this.#numbers.push(decimal(line));
      if (this.#numbers.length === 1) this.#wanted = 1 + 2 * decimal(line);
    }
    if (this.#rest.length > MAX_DIGITS && this.#numbers.length < this.#wanted) {
      throw badMap('a number of the sparse map has no end');
    }
    return this.#numbers.length === this.#wanted ? segmentsOf(this.#numbers.slice(1)) : undefined;
  }
}

const MAX_DIGITS = 20;

function decimal(text: string): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw badMap('a number of the sparse map is malformed');
}

function badMap(message: string): ArchiveError {
  return new ArchiveError('BAD_SPARSE_MAP', message);
}
