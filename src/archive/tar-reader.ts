// SPDX-License-Identifier: Apache-2.0
import { ArchiveError, type ArchiveErrorCode } from './archive-error.ts';
import { Piece } from './piece.ts';
import { SparseContent, type SparseSegment } from './sparse-map.ts';
import { GnuSparseMember, PaxSparseMember, type SparseMember } from './sparse-member.ts';
import type { TarEntry } from './tar-entry.ts';
import {
  extensionKind,
  type ExtensionKind,
  NO_EXTENSIONS,
  type TarExtensions,
  withExtension,
} from './tar-extensions.ts';
import { isZeroBlock, parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts';
import { TAR_LIMITS, type TarLimits } from './tar-limits.ts';
import { tarEntryOf } from './tar-member.ts';

// Promise: whatever the bytes, the sink sees whole, well-formed members or the reader throws an
// ArchiveError; where two well-known readers would see different members, it throws too. Work
// and memory are bounded by TarLimits and by the bytes given. Content is never copied.
//
//     header ──► extension (x g L K) ──► padding ──► header
//       │
//       ├──► sparse-map (S with more segments; PAX sparse 1.0) ──┐
//       ├────────────────────────────────────────────────────────┴─► content ──► padding ──► header
//       └──► ended, by two zero blocks: what follows is not looked at
//
// An archive may also end without zero blocks, or after one, but only between members.

/**
 * What a {@link TarReader} calls, synchronously, in this order for each member: `entry`, `data` zero
 * or more times (never for a type without content), `endEntry`. What a method throws passes through `write`.
 */
export interface TarSink {
  entry(entry: TarEntry): void;
  /**
   * The next bytes of the content, `sizeBytes` in all; holes of sparse files come as zeros. A view
   * into the chunk given to `write` (or a shared page of zeros): do not alter it.
   */
  data(chunk: Buffer): void;
  endEntry(): void;
}

type State = 'header' | 'extension' | 'sparse-map' | 'content' | 'padding' | 'ended';

/** A member whose headers are all read. */
interface Member {
  readonly entry: TarEntry;
  readonly storedBytes: number;
  readonly segments: readonly SparseSegment[] | undefined;
}

const GNU_SPARSE = 0x53;

/** A hardened push parser of tar archives: v7, ustar, PAX, GNU. See the head of the file. */
export class TarReader {
  readonly #sink: TarSink;
  readonly #limits: TarLimits;
  readonly #piece = new Piece();
  #state: State = 'header';
  /** Bytes of the archive before what is being looked at, and before the piece being gathered. */
  #offset = 0;
  #pieceOffset = 0;
  #zeroBlocks = 0;
  #entries = 0;
  #contentBytes = 0;
  #holeBytes = 0;
  /** Of the extension or content being read, and of the padding after it. */
  #leftBytes = 0;
  #paddingBytes = 0;
  #extensionKind: ExtensionKind = 'pax';
  #extensions: TarExtensions = NO_EXTENSIONS;
  #sparseMember: SparseMember | undefined;
  #sparseContent: SparseContent | undefined;

  constructor(sink: TarSink, limits: TarLimits = TAR_LIMITS) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** @throws ArchiveError; the reader must then not be used any more. */
  write(chunk: Buffer): void {
    if (this.#offset + chunk.length > this.#limits.archiveBytes) {
      throw this.#error('LIMIT', `it has more than ${this.#limits.archiveBytes} bytes`);
    }
    for (let at = 0; at < chunk.length;) {
      const used = this.#step(chunk, at);
      at += used;
      this.#offset += used;
    }
  }

  /** Says that the archive is complete. @throws ArchiveError `TRUNCATED`. */
  end(): void {
    const isBetween =
      this.#state === 'header' && !this.#piece.isBegun && this.#extensions === NO_EXTENSIONS;
    if (this.#state === 'ended' || isBetween) return;
    throw this.#error('TRUNCATED', 'it ends in the middle of a member');
  }

  /** Handles what `chunk` has from `at` for the present state; returns how many bytes that took. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'content':
        return this.#content(chunk, at);
      case 'padding':
        return this.#padding(chunk, at);
      case 'ended':
        return chunk.length - at;
      case 'extension':
        return this.#gather(chunk, at, this.#leftBytes);
      case 'header':
      case 'sparse-map':
        return this.#gather(chunk, at, TAR_BLOCK_BYTES);
    }
  }

  #gather(chunk: Buffer, at: number, length: number): number {
    if (!this.#piece.isBegun) this.#pieceOffset = this.#offset;
    const used = this.#piece.take(chunk, at, length);
    if (!this.#piece.isWhole) return used;
    const member = this.#parsed(this.#piece.buffer, this.#piece.start, length);
    this.#piece.clear();
    if (member !== undefined) this.#begin(member);
    return used;
  }

  /** Parses the piece; returns a member once all its headers are read. */
  #parsed(buffer: Buffer, start: number, length: number): Member | undefined {
    try {
      switch (this.#state) {
        case 'extension':
          this.#addExtension(buffer.subarray(start, start + length));
          return undefined;
        case 'sparse-map':
          return this.#sparseBlock(buffer.subarray(start, start + length));
        default:
          return this.#header(buffer, start);
      }
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      throw this.#error(error.code, error.message, error);
    }
  }

  #header(block: Buffer, at: number): Member | undefined {
    if (block[at] === 0 && isZeroBlock(block, at)) {
      this.#zeroBlock();
      return undefined;
    }
    if (this.#zeroBlocks > 0) {
      throw new ArchiveError('BAD_HEADER', 'a member follows a block of zeros');
    }
    const header = parseTarHeader(block, at);
    const kind = extensionKind(header.typeflag);
    if (kind === undefined || kind === 'global-pax') this.#countEntry();
    if (kind !== undefined) {
      this.#beginExtension(header, kind);
      return undefined;
    }
    const sparse = this.#extensions.pax?.sparse;
    if (header.typeflag === GNU_SPARSE) {
      if (sparse !== undefined) throw new ArchiveError('BAD_SPARSE_MAP', 'it has two sparse maps');
      return this.#sparse(new GnuSparseMember(header, block, at));
    }
    if (sparse !== undefined) return this.#sparse(new PaxSparseMember(header, sparse));
    return this.#member(header, this.#storedBytes(header), undefined);
  }

  #zeroBlock(): void {
    if (this.#extensions !== NO_EXTENSIONS) {
      throw new ArchiveError(
        'TRUNCATED',
        'the archive ends before the member that a header announced',
      );
    }
    this.#zeroBlocks += 1;
    if (this.#zeroBlocks === 2) this.#state = 'ended';
  }

  #countEntry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) {
      throw new ArchiveError('LIMIT', `there are more than ${this.#limits.entries} members`);
    }
  }

  #beginExtension(header: TarHeader, kind: ExtensionKind): void {
    if (header.sizeBytes > this.#limits.extensionBytes) {
      throw new ArchiveError('LIMIT', `an extension header has ${header.sizeBytes} bytes`);
    }
    this.#extensionKind = kind;
    this.#leftBytes = header.sizeBytes;
    this.#paddingBytes = paddingAfter(header.sizeBytes);
    this.#state = 'extension';
    if (header.sizeBytes === 0) this.#addExtension(Buffer.alloc(0));
  }

  #addExtension(content: Buffer): void {
    this.#extensions = withExtension(this.#extensions, this.#extensionKind, content, this.#limits);
    this.#state = this.#paddingBytes > 0 ? 'padding' : 'header';
  }

  #storedBytes(header: TarHeader): number {
    return this.#extensions.pax?.sizeBytes ?? header.sizeBytes;
  }

  #sparseBlock(block: Buffer): Member | undefined {
    const sparse = this.#sparseMember;
    if (sparse === undefined) throw new ArchiveError('BAD_SPARSE_MAP', 'a sparse map is misplaced');
    sparse.push(block);
    if (sparse.pushedBytes > this.#limits.extensionBytes) {
      throw new ArchiveError('LIMIT', 'a sparse map is too long');
    }
    return this.#sparse(sparse);
  }

  /** Goes on to the next block of the map, or to the member when the map is whole. */
  #sparse(sparse: SparseMember): Member | undefined {
    const storedBytes = this.#storedBytes(sparse.header) - sparse.mapBytesInContent;
    if (storedBytes < 0) {
      throw new ArchiveError('BAD_SPARSE_MAP', 'the sparse map is longer than the member');
    }
    if (!sparse.isComplete) {
      this.#sparseMember = sparse;
      this.#state = 'sparse-map';
      return undefined;
    }
    this.#sparseMember = undefined;
    this.#holeBytes += sparse.fileBytes - storedBytes;
    if (this.#holeBytes > this.#limits.holeBytes) {
      throw new ArchiveError('LIMIT', `sparse files add more than ${this.#limits.holeBytes} bytes`);
    }
    return this.#member(sparse.header, storedBytes, sparse);
  }

  #member(header: TarHeader, storedBytes: number, sparse: SparseMember | undefined): Member {
    const contentBytes = sparse?.fileBytes ?? storedBytes;
    const entry = tarEntryOf(header, this.#extensions, contentBytes, this.#limits);
    this.#extensions = NO_EXTENSIONS;
    this.#contentBytes += contentBytes;
    if (this.#contentBytes > this.#limits.contentBytes) {
      throw new ArchiveError(
        'LIMIT',
        `its files have more than ${this.#limits.contentBytes} bytes`,
      );
    }
    return { entry, storedBytes, segments: sparse?.segments(storedBytes) };
  }

  #begin({ entry, storedBytes, segments }: Member): void {
    this.#leftBytes = storedBytes;
    this.#paddingBytes = paddingAfter(storedBytes);
    this.#state = 'content';
    this.#sink.entry(entry);
    if (segments !== undefined) {
      const emit = (chunk: Buffer): void => this.#sink.data(chunk);
      this.#sparseContent = new SparseContent(segments, entry.sizeBytes, emit);
      this.#sparseContent.start();
    }
    if (storedBytes === 0) this.#finish();
  }

  #content(chunk: Buffer, at: number): number {
    const used = Math.min(this.#leftBytes, chunk.length - at);
    const piece = used === chunk.length ? chunk : chunk.subarray(at, at + used);
    if (this.#sparseContent === undefined) this.#sink.data(piece);
    else this.#sparseContent.write(piece);
    this.#leftBytes -= used;
    if (this.#leftBytes === 0) this.#finish();
    return used;
  }

  #finish(): void {
    this.#sparseContent = undefined;
    this.#state = this.#paddingBytes > 0 ? 'padding' : 'header';
    this.#sink.endEntry();
  }

  #padding(chunk: Buffer, at: number): number {
    const used = Math.min(this.#paddingBytes, chunk.length - at);
    this.#paddingBytes -= used;
    if (this.#paddingBytes === 0) this.#state = 'header';
    return used;
  }

  #error(code: ArchiveErrorCode, message: string, cause?: unknown): ArchiveError {
    const offset = this.#state === 'content' ? this.#offset : this.#pieceOffset;
    return new ArchiveError(code, `reading a tar archive, at byte ${offset}: ${message}`, {
      cause,
    });
  }
}

function paddingAfter(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}
