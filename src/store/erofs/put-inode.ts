// SPDX-License-Identifier: Apache-2.0
import {
  BLOCK_BITS,
  COMPACT_INODE_BYTES,
  EXTENDED_INODE_BYTES,
  LAYOUT_CHUNKED,
  LAYOUT_INLINE,
  LAYOUT_PLAIN,
  XATTR_HEADER_BYTES,
} from './format.ts';
import type { ImageNode } from './image-node.ts';
import type { ImageSink } from './image-sink.ts';
import { sizeOf } from './layout.ts';

/** Writes the 32 or 64 bytes of the inode; `dataBlock` is the number of the data area's first block. */
export function putInode(sink: ImageSink, node: ImageNode, dataBlock: number): void {
  const { buffer } = sink;
  const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = node.attributes;
  const at = sink.reserve(node.compact ? COMPACT_INODE_BYTES : EXTENDED_INODE_BYTES);
  buffer.writeUInt16LE((dataLayout(node) << 1) | (node.compact ? 0 : 1), at);
  buffer.writeUInt16LE(xattrUnits(node), at + 2);
  buffer.writeUInt16LE(node.type.mode | (mode & 0o7777), at + 4);
  buffer.writeUInt32LE(addressOf(node, dataBlock), at + 16);
  buffer.writeUInt32LE(node.ino, at + 20);
  const sizeBytes = sizeOf(node);
  if (node.compact) {
    buffer.writeUInt16LE(node.nlink, at + 6);
    buffer.writeUInt32LE(sizeBytes, at + 8);
    buffer.writeUInt16LE(uid, at + 24);
    buffer.writeUInt16LE(gid, at + 26);
    return;
  }
  putSeconds(buffer, sizeBytes, at + 8);
  buffer.writeUInt32LE(uid, at + 24);
  buffer.writeUInt32LE(gid, at + 28);
  putSeconds(buffer, mtimeSeconds, at + 32);
  buffer.writeUInt32LE(mtimeNanoseconds, at + 40);
  buffer.writeUInt32LE(node.nlink, at + 44);
}

/** A signed 64-bit integer of at most 53 bits. */
export function putSeconds(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value >>> 0, at);
  buffer.writeInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function dataLayout(node: ImageNode): number {
  if (node.payload.kind === 'object') return LAYOUT_CHUNKED;
  return node.tailBytes > 0 ? LAYOUT_INLINE : LAYOUT_PLAIN;
}

// 1 stands for the header, and each further one for 4 bytes.
function xattrUnits(node: ImageNode): number {
  return node.xattrBytes === 0 ? 0 : (node.xattrBytes - XATTR_HEADER_BYTES) / 4 + 1;
}

function addressOf(node: ImageNode, dataBlock: number): number {
  const { payload } = node;
  if (payload.kind === 'device') return payload.encoded;
  if (payload.kind === 'object') return chunkBits(payload.sizeBytes) - BLOCK_BITS;
  return node.blocks > 0 ? dataBlock + node.firstBlock : 0;
}

// The smallest power of two that holds the file: one chunk.
function chunkBits(sizeBytes: number): number {
  const last = sizeBytes - 1;
  const high = Math.floor(last / 2 ** 32);
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(last);
  return Math.max(bits, BLOCK_BITS);
}
