// SPDX-License-Identifier: Apache-2.0
import type { DirectoryInode, FileContent } from '../inode.ts';

export type InlineContent = Extract<FileContent, { kind: 'inline' }>;
export type ObjectContent = Extract<FileContent, { kind: 'object' }>;

/** Where the writer gets what the tree does not hold. */
export interface ErofsSources {
  /** The bytes of a small file, `content.sizeBytes` of them. */
  readInline(content: InlineContent): Uint8Array;
  /** The fs-verity digest (sha256, 4 KiB blocks) of a sealed object, which overlay then requires at open. */
  verityDigest?(content: ObjectContent): Uint8Array | undefined;
}

export interface ErofsImageSummary {
  readonly sizeBytes: number;
  readonly inodes: number;
}

/**
 * Writes the metadata-only EROFS image of `tree` to `fd`, from its current position, in one pass
 * and without seeking. Small files are in the image; the others are redirects to `/ab/<62 hex>` of
 * the overlay's data layer (design §6). The same tree gives the same bytes. Durability, name and
 * mode of the file are the caller's.
 *
 * @throws CheckoutError TREE_NOT_REPRESENTABLE
 */
export function writeErofsImage(
  _tree: DirectoryInode,
  _fd: number,
  _sources: ErofsSources,
): ErofsImageSummary {
  throw new Error('being written');
}
