// SPDX-License-Identifier: Apache-2.0
import { BLOCK_BITS, BLOCK_BYTES, LAYOUT_CHUNKED, LAYOUT_INLINE, LAYOUT_PLAIN } from './format.ts';
import type { ImageInodes, ImageNumber } from './image-inodes.ts';
import type { ImageSink } from './image-sink.ts';
import type { ImageLayout } from './image-layout.ts';
import { xattrUnits } from './xattr-area.ts';

/** What an inode says that only its writer knows. */
export interface InodePlace {
  readonly xattrBytes: number;
  /** Of its blocks, counted from the start of the data area. */
  readonly firstBlock: number;
}

/** Writes the 32 or 64 bytes of an inode. */
export function putInode(
  sink: ImageSink,
  number: ImageNumber,
  inodes: ImageInodes,
  layout: ImageLayout,
  place: InodePlace,
): void {
  const { buffer } = sink;
  const { mode, uid, gid } = inodes.attributes(number);
  const isCompact = layout.isCompact(number);
  const sizeBytes = layout.sizeBytes(number);
  const at = sink.reserve(layout.inodeBytes(number));
  buffer.writeUInt16LE((dataLayout(number, inodes, layout) << 1) | (isCompact ? 0 : 1), at);
  buffer.writeUInt16LE(xattrUnits(place.xattrBytes), at + 2);
  buffer.writeUInt16LE(inodes.fileType(number).mode | (mode & 0o7777), at + 4);
  buffer.writeUInt32LE(addressOf(number, inodes, layout, place), at + 16);
  buffer.writeUInt32LE(number, at + 20);
  if (isCompact) {
    buffer.writeUInt16LE(inodes.nlink(number), at + 6);
    buffer.writeUInt32LE(sizeBytes, at + 8);
    buffer.writeUInt16LE(uid, at + 24);
    buffer.writeUInt16LE(gid, at + 26);
    return;
  }
  putSeconds(buffer, sizeBytes, at + 8);
  buffer.writeUInt32LE(uid, at + 24);
  buffer.writeUInt32LE(gid, at + 28);
  putSeconds(buffer, inodes.mtimeSeconds(number), at + 32);
  buffer.writeUInt32LE(inodes.mtimeNanoseconds(number), at + 40);
  buffer.writeUInt32LE(inodes.nlink(number), at + 44);
}

/** A signed 64-bit integer of at most 53 bits. */
export function putSeconds(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value >>> 0, at);
  buffer.writeInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function dataLayout(number: ImageNumber, inodes: ImageInodes, layout: ImageLayout): number {
  if (inodes.kind(number) === 'redirect') return LAYOUT_CHUNKED;
  return layout.tailBytes(number) > 0 ? LAYOUT_INLINE : LAYOUT_PLAIN;
}

function addressOf(
  number: ImageNumber,
  inodes: ImageInodes,
  layout: ImageLayout,
  { firstBlock }: InodePlace,
): number {
  const { tree } = inodes;
  switch (inodes.kind(number)) {
    case 'device':
      return encodeDevice(...tree.deviceNumbers(inodes.inodeOf(number)));
    case 'redirect':
      return chunkBits(tree.sizeBytes(inodes.inodeOf(number))) - BLOCK_BITS;
    case 'inline':
    case 'directory':
    case 'symlink':
      return layout.blocks(number) > 0 ? layout.dataStart / BLOCK_BYTES + firstBlock : 0;
    case 'plain':
    case 'escapedWhiteout':
    case 'objectWhiteout':
      return 0;
  }
}

// Linux' 32-bit encoding: 12 bits of major, 20 of minor.
function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

// The smallest power of two that holds the file: one chunk.
function chunkBits(sizeBytes: number): number {
  const last = sizeBytes - 1;
  const high = Math.floor(last / 2 ** 32);
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(last);
  return Math.max(bits, BLOCK_BITS);
}
