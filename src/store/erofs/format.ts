// SPDX-License-Identifier: Apache-2.0

/**
 * The image, as the kernel's EROFS reads it (Documentation/filesystems/erofs.rst) and in the order
 * and with the choices of composefs 1.x, so that equal trees give equal bytes in both:
 *
 *        0  header          magic d078629a, version 1, flags, composefs version   (not EROFS)
 *     1024  superblock      128 bytes
 *     1152  inodes          breadth first, children by name; each on a 32-byte slot; nid = offset / 32
 *            ├ inode        32 bytes (compact: owner < 65536 and the image's oldest mtime) or 64
 *            ├ xattrs       12-byte header, 4 bytes a shared xattr, then the entries of its own
 *            └ tail         what does not fill a block: directory entries, link target, small file,
 *                           or the one chunk pointer (a hole) of a file whose bytes are an object
 *        …  shared xattrs   each (key, value) that two inodes or more have, once
 *        …  data            4096-byte blocks: full directory blocks, small files of more than half a block
 *
 * inode        0 format u16 · 2 xattr count u16 · 4 mode u16 · …
 *   compact    6 nlink u16 · 8 size u32 · 16 block/rdev/chunk u32 · 20 ino u32 · 24 uid u16 · 26 gid u16
 *   extended   8 size u64 · 16 block/rdev/chunk u32 · 20 ino u32 · 24 uid u32 · 28 gid u32
 *              32 mtime i64 · 40 nanoseconds u32 · 44 nlink u32
 * xattr entry  0 name length u8 · 1 prefix index u8 · 2 value length u16 · name · value · pad to 4
 * directory    12 bytes an entry (nid u64, name offset u16, type u8, 0), then the names, a block at a time
 */
export const BLOCK_BITS = 12;
export const BLOCK_BYTES = 1 << BLOCK_BITS;
export const SLOT_BYTES = 32;

export const HEADER_MAGIC = 0xd078629a;
export const HEADER_VERSION = 1;
/** Some inode has a POSIX ACL. */
export const HEADER_FLAG_ACL = 1;

export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_BYTES = 128;
export const SUPERBLOCK_MAGIC = 0xe0f5e1e2;
/** Inodes have mtimes (2), xattr headers have a name filter (4). */
export const FEATURE_COMPAT = 0x2 | 0x4;

export const COMPACT_INODE_BYTES = 32;
export const EXTENDED_INODE_BYTES = 64;

export const LAYOUT_PLAIN = 0;
export const LAYOUT_INLINE = 2;
export const LAYOUT_CHUNKED = 4;

export const XATTR_HEADER_BYTES = 12;
export const XATTR_ENTRY_BYTES = 4;
/** More shared xattrs than this on one inode are written with the inode. */
export const MAX_SHARED_PER_INODE = 0x80;

export const DIRENT_BYTES = 12;
export const CHUNK_POINTER_BYTES = 4;
export const HOLE = 0xffffffff;
/** A chunk has at most 2^(12+31) bytes; larger files would need a second pointer. */
export const MAX_FILE_BYTES = 2 ** 43;
export const MAX_NAME_BYTES = 255;
export const MAX_LINK_TARGET_BYTES = 4095;

/** `S_IFMT` bits and the directory entry's type of each kind of inode. */
export const FILE_TYPES = {
  file: { mode: 0o100000, dirent: 1 },
  directory: { mode: 0o040000, dirent: 2 },
  char: { mode: 0o020000, dirent: 3 },
  block: { mode: 0o060000, dirent: 4 },
  fifo: { mode: 0o010000, dirent: 5 },
  symlink: { mode: 0o120000, dirent: 7 },
} as const;

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
