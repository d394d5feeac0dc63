// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { assertNever } from '../../base/assert-never.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import { directoryBlock } from './directory-block.ts';
import {
  BLOCK_BYTES,
  CHUNK_POINTER_BYTES,
  COMPACT_INODE_BYTES,
  EXTENDED_INODE_BYTES,
  FILE_TYPES,
  MAX_SHARED_PER_INODE,
  roundUp,
  SLOT_BYTES,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
  XATTR_ENTRY_BYTES,
  XATTR_HEADER_BYTES,
} from './format.ts';
import type { ImageNode } from './image-node.ts';

/** Where the parts of the image lie, in bytes from its start. */
export interface ImageLayout {
  readonly oldestSeconds: number;
  readonly oldestNanoseconds: number;
  readonly inodesEnd: number;
  readonly dataStart: number;
  readonly dataBlocks: number;
}

/** Gives every node its place; afterwards the image can be written front to back. */
export function layOut(nodes: readonly ImageNode[], sharedXattrBytes: number): ImageLayout {
  const oldest = oldestOf(nodes);
  let position = SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES;
  let dataBlocks = 0;
  for (const node of nodes) {
    measure(node);
    node.compact = fitsCompact(node, oldest);
    const headBytes = inodeBytes(node) + node.xattrBytes;
    position = roundUp(position, SLOT_BYTES);
    position += paddingBefore(node, position, headBytes);
    node.position = position;
    node.firstBlock = dataBlocks;
    dataBlocks += node.blocks;
    position += headBytes + node.tailBytes;
  }
  const inodesEnd = roundUp(position, SLOT_BYTES);
  return {
    oldestSeconds: oldest.mtimeSeconds,
    oldestNanoseconds: oldest.mtimeNanoseconds,
    inodesEnd,
    dataStart: roundUp(inodesEnd + sharedXattrBytes, BLOCK_BYTES),
    dataBlocks,
  };
}

export function inodeBytes(node: ImageNode): number {
  return node.compact ? COMPACT_INODE_BYTES : EXTENDED_INODE_BYTES;
}

/** `st_size` of the inode. */
export function sizeOf(node: ImageNode): number {
  const { payload } = node;
  switch (payload.kind) {
    case 'none':
    case 'device':
      return 0;
    case 'entries':
      return node.blocks * BLOCK_BYTES + node.tailBytes;
    case 'target':
      return payload.target.length;
    case 'inline':
    case 'object':
      return payload.sizeBytes;
    default:
      return assertNever(payload);
  }
}

interface Moment {
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

function oldestOf(nodes: readonly ImageNode[]): Moment {
  let oldest: Moment = { mtimeSeconds: Infinity, mtimeNanoseconds: 0 };
  for (const { attributes } of nodes) {
    const seconds = attributes.mtimeSeconds - oldest.mtimeSeconds;
    if (seconds < 0 || (seconds === 0 && attributes.mtimeNanoseconds < oldest.mtimeNanoseconds)) {
      oldest = attributes;
    }
  }
  return oldest;
}

function fitsCompact(node: ImageNode, oldest: Moment): boolean {
  const { attributes } = node;
  return (
    attributes.mtimeSeconds === oldest.mtimeSeconds &&
    attributes.mtimeNanoseconds === oldest.mtimeNanoseconds &&
    node.nlink <= 0xffff &&
    attributes.uid <= 0xffff &&
    attributes.gid <= 0xffff &&
    sizeOf(node) <= 0xffffffff
  );
}

function measure(node: ImageNode): void {
  measureXattrs(node);
  const { payload } = node;
  switch (payload.kind) {
    case 'none':
    case 'device':
      return;
    case 'entries':
      measureDirectory(node, payload.entries.names);
      return;
    case 'target':
      node.tailBytes = payload.target.length;
      return;
    case 'inline':
      node.blocks = Math.floor(payload.sizeBytes / BLOCK_BYTES);
      setTail(node, payload.sizeBytes % BLOCK_BYTES);
      return;
    case 'object':
      node.tailBytes = CHUNK_POINTER_BYTES;
      return;
    default:
      assertNever(payload);
  }
}

function measureXattrs(node: ImageNode): void {
  if (node.xattrs.length === 0) return;
  let sizeBytes = XATTR_HEADER_BYTES;
  for (const xattr of node.xattrs) {
    if (xattr.sharedOffset >= 0 && node.sharedXattrs < MAX_SHARED_PER_INODE) {
      node.sharedXattrs += 1;
      sizeBytes += XATTR_ENTRY_BYTES;
    } else {
      sizeBytes += xattr.sizeBytes;
    }
  }
  // The inode counts them in units of 4 bytes, in 16 bits.
  if ((sizeBytes - XATTR_HEADER_BYTES) / 4 + 1 > 0xffff) {
    const first = node.xattrs[0]?.key ?? '';
    throw new CheckoutError(
      'TREE_NOT_REPRESENTABLE',
      `writing the xattrs of one file (${quote(first)} and ${node.xattrs.length - 1} more): ${sizeBytes} bytes are too many`,
    );
  }
  node.xattrBytes = sizeBytes;
}

function measureDirectory(node: ImageNode, names: readonly string[]): void {
  for (let first = 0; first < names.length;) {
    const block = directoryBlock(names, first);
    if (block.end < names.length) node.blocks += 1;
    else setTail(node, block.sizeBytes);
    first = block.end;
  }
}

// Tails of more than half a block would mostly push inodes apart: they get a block.
function setTail(node: ImageNode, tailBytes: number): void {
  if (tailBytes > BLOCK_BYTES / 2) node.blocks += 1;
  else node.tailBytes = tailBytes;
}

// A tail must not cross a block's boundary, and a link's target must be in the block of its inode.
function paddingBefore(node: ImageNode, position: number, headBytes: number): number {
  const toNextBlock = roundUp(position, BLOCK_BYTES) - position;
  if (node.type === FILE_TYPES.symlink) {
    const totalBytes = headBytes + node.tailBytes;
    const startBlock = Math.floor(position / BLOCK_BYTES);
    const endBlock = Math.floor((position + totalBytes - 1) / BLOCK_BYTES);
    if (totalBytes >= BLOCK_BYTES) tailToBlock(node);
    return startBlock === endBlock ? 0 : toNextBlock;
  }
  const room = BLOCK_BYTES - ((position + headBytes) % BLOCK_BYTES);
  if (room >= node.tailBytes) return 0;
  const padding = roundUp(room, SLOT_BYTES);
  const roomAfter = BLOCK_BYTES - ((position + headBytes + padding) % BLOCK_BYTES);
  if (roomAfter >= node.tailBytes) return padding;
  tailToBlock(node);
  return toNextBlock;
}

function tailToBlock(node: ImageNode): void {
  node.blocks += 1;
  node.tailBytes = 0;
}
