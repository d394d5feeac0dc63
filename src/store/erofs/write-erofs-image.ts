// SPDX-License-Identifier: Apache-2.0
import type { DirectoryInode } from '../tree/inode.ts';
import type { ErofsSources } from './erofs-sources.ts';
import {
  BLOCK_BITS,
  BLOCK_BYTES,
  FEATURE_COMPAT,
  HEADER_FLAG_ACL,
  HEADER_MAGIC,
  HEADER_VERSION,
  SLOT_BYTES,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_OFFSET,
} from './format.ts';
import type { ImageNode } from './image-node.ts';
import { ImageSink } from './image-sink.ts';
import { imageNodes } from './image-tree.ts';
import { XattrTable } from './image-xattr.ts';
import { type ImageLayout, layOut } from './layout.ts';
import { OverlayXattrs } from './overlay-xattrs.ts';
import { putBlocks, putTail } from './put-content.ts';
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
export function writeErofsImage(
  tree: DirectoryInode,
  fd: number,
  sources: ErofsSources,
): ErofsImageSummary {
  const table = new XattrTable();
  const overlay = new OverlayXattrs(table, sources);
  const nodes = imageNodes(tree, overlay);
  const shared = table.shared();
  const layout = layOut(nodes, shared.sizeBytes);
  const sink = new ImageSink(fd);
  putHeader(sink, nodes, overlay);
  putSuperblock(sink, nodes, layout);
  const dataBlock = layout.dataStart / BLOCK_BYTES;
  for (const node of nodes) {
    sink.padTo(node.position);
    putInode(sink, node, dataBlock);
    putXattrs(sink, node, layout.inodesEnd % BLOCK_BYTES);
    putTail(sink, node, sources);
  }
  sink.padTo(layout.inodesEnd);
  for (const xattr of shared.xattrs) putXattr(sink, xattr);
  sink.padTo(layout.dataStart);
  for (const node of nodes) putBlocks(sink, node, sources);
  sink.flush();
  return { sizeBytes: sink.position, inodes: nodes.length };
}

function putHeader(sink: ImageSink, nodes: readonly ImageNode[], overlay: OverlayXattrs): void {
  const hasAcl = nodes.some(({ xattrs }) => xattrs.some(({ key }) => key.startsWith(ACL)));
  const at = sink.reserve(SUPERBLOCK_OFFSET);
  sink.buffer.writeUInt32LE(HEADER_MAGIC, at);
  sink.buffer.writeUInt32LE(HEADER_VERSION, at + 4);
  sink.buffer.writeUInt32LE(hasAcl ? HEADER_FLAG_ACL : 0, at + 8);
  // composefs writes format 0 for as long as no whiteout had to be escaped in the manner of format 1.
  sink.buffer.writeUInt32LE(overlay.escapedWhiteouts > 0 ? 1 : 0, at + 12);
}

const ACL = 'system.posix_acl_';

function putSuperblock(sink: ImageSink, nodes: readonly ImageNode[], layout: ImageLayout): void {
  const { buffer } = sink;
  const at = sink.reserve(SUPERBLOCK_BYTES);
  buffer.writeUInt32LE(SUPERBLOCK_MAGIC, at);
  buffer.writeUInt32LE(FEATURE_COMPAT, at + 8);
  buffer.writeUInt8(BLOCK_BITS, at + 12);
  buffer.writeUInt16LE((nodes[0]?.position ?? 0) / SLOT_BYTES, at + 14);
  buffer.writeUInt32LE(nodes.length, at + 16);
  putSeconds(buffer, layout.oldestSeconds, at + 24);
  buffer.writeUInt32LE(layout.oldestNanoseconds, at + 32);
  buffer.writeUInt32LE(layout.dataStart / BLOCK_BYTES + layout.dataBlocks, at + 36);
  buffer.writeUInt32LE(Math.floor(layout.inodesEnd / BLOCK_BYTES), at + 44);
}
