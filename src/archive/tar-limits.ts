// SPDX-License-Identifier: Apache-2.0

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** What one archive may ask of us. Exceeding any of them is an {@link ./archive-error.ts} `LIMIT`. */
export interface TarLimits {
  /** Bytes of the archive itself, padding and what follows its end included. */
  readonly archiveBytes: number;
  /** Sum of the sizes of all files, sparse files counted expanded. */
  readonly contentBytes: number;
  /** Bytes of zeros that sparse files add: they cost the sender nothing, and us hashing and disk. */
  readonly holeBytes: number;
  readonly entries: number;
  /** One PAX block, GNU long name or sparse map. */
  readonly extensionBytes: number;
  readonly xattrValueBytes: number;
  /** Keys and values of one entry's xattrs together. */
  readonly xattrTotalBytes: number;
  /** A path as written, and the target of a hard link: Linux' PATH_MAX. */
  readonly pathBytes: number;
}

export const TAR_LIMITS: TarLimits = {
  archiveBytes: 128 * GIB,
  contentBytes: 128 * GIB,
  holeBytes: GIB,
  entries: 2_000_000,
  extensionBytes: MIB,
  xattrValueBytes: 64 * KIB,
  xattrTotalBytes: MIB,
  pathBytes: 4096,
};
