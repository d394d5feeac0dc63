// SPDX-License-Identifier: Apache-2.0
import type { Tree } from '../tree/tree.ts';
import type { ErofsSources } from './erofs-sources.ts';
import {
  BLOCK_BITS,
  BLOCK_BYTES,
  FEATURE_COMPAT,
  HEADER_FLAG_ACL,
  HEADER_MAGIC,
  HEADER_VERSION,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_OFFSET,
} from './format.ts';
import { ImageInodes } from './image-inodes.ts';
import { ImageSink } from './image-sink.ts';
import { ImageXattrs } from './image-xattrs.ts';
import { ImageLayout } from './image-layout.ts';
import { ContentWriter } from './content-writer.ts';
import { putInode, putSeconds } from './put-inode.ts';
import { putXattr, putXattrs } from './put-xattrs.ts';

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
export function writeErofsImage(tree: Tree, fd: number, sources: ErofsSources): ErofsImageSummary {
  const inodes = new ImageInodes(tree);
  const xattrs = new ImageXattrs(inodes, sources);
  const layout = new ImageLayout(inodes, xattrs);
  const sink = new ImageSink(fd);
  const content = new ContentWriter(sink, inodes, layout, sources);
  putHeader(sink, xattrs);
  putSuperblock(sink, inodes.count, layout);
  let firstBlock = 0;
  for (let number = 0; number < inodes.count; number += 1) {
    sink.padTo(layout.position(number));
    const area = xattrs.measure(number);
    putInode(sink, number, inodes, layout, { xattrBytes: area.sizeBytes, firstBlock });
    firstBlock += layout.blocks(number);
    if (area.sizeBytes > 0) {
      putXattrs(sink, xattrs.of(number), layout.inodesEnd % BLOCK_BYTES);
    }
    content.putTail(number);
  }
  sink.padTo(layout.inodesEnd);
  for (const xattr of xattrs.shared) putXattr(sink, xattr);
  sink.padTo(layout.dataStart);
  for (let number = 0; number < inodes.count; number += 1) content.putBlocks(number);
  sink.flush();
  return { sizeBytes: sink.position, inodes: inodes.count };
}

function putHeader(sink: ImageSink, xattrs: ImageXattrs): void {
  const at = sink.reserve(SUPERBLOCK_OFFSET);
  sink.buffer.writeUInt32LE(HEADER_MAGIC, at);
  sink.buffer.writeUInt32LE(HEADER_VERSION, at + 4);
  sink.buffer.writeUInt32LE(xattrs.hasAcl ? HEADER_FLAG_ACL : 0, at + 8);
  // composefs writes format 0 for as long as no whiteout had to be escaped in the manner of format 1.
  sink.buffer.writeUInt32LE(xattrs.escapedWhiteouts > 0 ? 1 : 0, at + 12);
}

function putSuperblock(sink: ImageSink, inodeCount: number, layout: ImageLayout): void {
  const { buffer } = sink;
  const at = sink.reserve(SUPERBLOCK_BYTES);
  buffer.writeUInt32LE(SUPERBLOCK_MAGIC, at);
  buffer.writeUInt32LE(FEATURE_COMPAT, at + 8);
  buffer.writeUInt8(BLOCK_BITS, at + 12);
  buffer.writeUInt16LE(layout.nid(0), at + 14);
  buffer.writeUInt32LE(inodeCount, at + 16);
  putSeconds(buffer, layout.oldestSeconds, at + 24);
  buffer.writeUInt32LE(layout.oldestNanoseconds, at + 32);
  buffer.writeUInt32LE(layout.dataStart / BLOCK_BYTES + layout.dataBlocks, at + 36);
  buffer.writeUInt32LE(Math.floor(layout.inodesEnd / BLOCK_BYTES), at + 44);
}
