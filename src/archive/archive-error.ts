// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type ArchiveErrorCode =
  /** The archive or the compressed stream ends too early. */
  | 'TRUNCATED'
  /** A tar header whose checksum is wrong: not a tar archive, or a damaged one. */
  | 'BAD_CHECKSUM'
  /** A tar header field that makes no sense, or a size where none may be. */
  | 'BAD_HEADER'
  /** A PAX extended header that is malformed, ambiguous, or global where that would change what files are. */
  | 'BAD_PAX'
  /** The map of a sparse file is malformed or does not fit the sizes given. */
  | 'BAD_SPARSE_MAP'
  /** A type of member that no layer has. */
  | 'UNSUPPORTED_MEMBER'
  /** More entries, bytes or attributes than {@link ./tar-limits.ts} allows, or a compression bomb. */
  | 'LIMIT'
  /** The decompressor refuses the stream. */
  | 'CORRUPT_STREAM'
  /** The table of contents of a zstd:chunked layer is malformed. */
  | 'BAD_TOC'
  /** A tar-split is malformed, or does not fit the table of contents beside it. */
  | 'BAD_TAR_SPLIT'
  /** Bytes follow the end of the compressed stream. */
  | 'TRAILING_GARBAGE';

/** An archive, or the compressed stream it comes in, that cannot be read as one. */
export class ArchiveError extends SysctError<ArchiveErrorCode> {}
