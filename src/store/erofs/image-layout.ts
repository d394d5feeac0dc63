// SPDX-License-Identifier: Apache-2.0
import {
  BLOCK_BYTES,
  CHUNK_POINTER_BYTES,
  COMPACT_INODE_BYTES,
  EXTENDED_INODE_BYTES,
  roundUp,
  SLOT_BYTES,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
} from './format.ts';
import type { ImageInodes, ImageNumber } from './image-inodes.ts';
import type { ImageXattrs } from './image-xattrs.ts';

/**
 * Where everything lies in the image, worked out before anything is written, so that it can be
 * written front to back.
 */
export class ImageLayout {
  readonly oldestSeconds: number;
  readonly oldestNanoseconds: number;
  /** In bytes from the image's start. */
  readonly inodesEnd: number;
  readonly dataStart: number;
  readonly dataBlocks: number;
  readonly #inodes: ImageInodes;
  /** In slots from the image's start: what directory entries say. */
  readonly #slots: Uint32Array;
  readonly #blocks: Uint32Array;
  readonly #tailBytes: Uint16Array;
  readonly #isCompact: Uint8Array;

  /** @throws CheckoutError TREE_NOT_REPRESENTABLE */
  constructor(inodes: ImageInodes, xattrs: ImageXattrs) {
    this.#inodes = inodes;
    this.#slots = new Uint32Array(inodes.count);
    this.#blocks = new Uint32Array(inodes.count);
    this.#tailBytes = new Uint16Array(inodes.count);
    this.#isCompact = new Uint8Array(inodes.count);
    [this.oldestSeconds, this.oldestNanoseconds] = oldestOf(inodes);
    let position = SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES;
    let dataBlocks = 0;
    for (let number = 0; number < inodes.count; number += 1) {
      this.#measure(number);
      this.#isCompact[number] = this.#fitsCompact(number) ? 1 : 0;
      const headBytes = this.inodeBytes(number) + xattrs.measure(number).sizeBytes;
      position = roundUp(position, SLOT_BYTES);
      position += this.#paddingBefore(number, position, headBytes);
      this.#slots[number] = position / SLOT_BYTES;
      dataBlocks += this.blocks(number);
      position += headBytes + this.tailBytes(number);
    }
    this.inodesEnd = roundUp(position, SLOT_BYTES);
    this.dataStart = roundUp(this.inodesEnd + xattrs.sharedBytes, BLOCK_BYTES);
    this.dataBlocks = dataBlocks;
  }

  /** The number of an inode in directory entries. */
  nid(number: ImageNumber): number {
    return this.#slots[number] ?? 0;
  }

  /** Byte offset of the inode in the image. */
  position(number: ImageNumber): number {
    return this.nid(number) * SLOT_BYTES;
  }

  isCompact(number: ImageNumber): boolean {
    return this.#isCompact[number] === 1;
  }

  inodeBytes(number: ImageNumber): number {
    return this.isCompact(number) ? COMPACT_INODE_BYTES : EXTENDED_INODE_BYTES;
  }

  /** Full blocks in the data area. They lie there in the order of the inodes. */
  blocks(number: ImageNumber): number {
    return this.#blocks[number] ?? 0;
  }

  /** Bytes that follow the xattrs. */
  tailBytes(number: ImageNumber): number {
    return this.#tailBytes[number] ?? 0;
  }

  /** `st_size` of the inode. */
  sizeBytes(number: ImageNumber): number {
    switch (this.#inodes.kind(number)) {
      case 'redirect':
      case 'inline':
        return this.#inodes.tree.sizeBytes(this.#inodes.inodeOf(number));
      case 'directory':
        return this.blocks(number) * BLOCK_BYTES + this.tailBytes(number);
      case 'symlink':
        return this.#inodes.tree.targetLength(this.#inodes.inodeOf(number));
      case 'plain':
      case 'device':
      case 'escapedWhiteout':
      case 'objectWhiteout':
        return 0;
    }
  }

  #measure(number: ImageNumber): void {
    switch (this.#inodes.kind(number)) {
      case 'redirect':
        this.#tailBytes[number] = CHUNK_POINTER_BYTES;
        return;
      case 'inline': {
        const sizeBytes = this.#inodes.tree.sizeBytes(this.#inodes.inodeOf(number));
        this.#blocks[number] = Math.floor(sizeBytes / BLOCK_BYTES);
        this.#setTail(number, sizeBytes % BLOCK_BYTES);
        return;
      }
      case 'directory':
        this.#measureDirectory(number);
        return;
      case 'symlink':
        this.#tailBytes[number] = this.#inodes.tree.targetLength(this.#inodes.inodeOf(number));
        return;
      case 'plain':
      case 'device':
      case 'escapedWhiteout':
      case 'objectWhiteout':
        return;
    }
  }

  #measureDirectory(number: ImageNumber): void {
    const directories = this.#inodes.names;
    const names = directories.of(this.#inodes.inodeOf(number));
    for (let first = 0; first < names.length;) {
      const block = directories.block(names, first);
      if (block.end < names.length) this.#addBlock(number);
      else this.#setTail(number, block.sizeBytes);
      first = block.end;
    }
  }

  // Tails of more than half a block would mostly push inodes apart: they get a block.
  #setTail(number: ImageNumber, tailBytes: number): void {
    if (tailBytes > BLOCK_BYTES / 2) this.#addBlock(number);
    else this.#tailBytes[number] = tailBytes;
  }

  #addBlock(number: ImageNumber): void {
    this.#blocks[number] = this.blocks(number) + 1;
  }

  #tailToBlock(number: ImageNumber): void {
    this.#addBlock(number);
    this.#tailBytes[number] = 0;
  }

  #fitsCompact(number: ImageNumber): boolean {
    const inodes = this.#inodes;
    if (inodes.mtimeSeconds(number) !== this.oldestSeconds) return false;
    const { uid, gid } = inodes.attributes(number);
    return (
      inodes.mtimeNanoseconds(number) === this.oldestNanoseconds &&
      inodes.nlink(number) <= 0xffff &&
      uid <= 0xffff &&
      gid <= 0xffff &&
      this.sizeBytes(number) <= 0xffffffff
    );
  }

  // A tail must not cross a block's boundary, and a link's target must be in the block of its inode.
  #paddingBefore(number: ImageNumber, position: number, headBytes: number): number {
    const tailBytes = this.tailBytes(number);
    const toNextBlock = roundUp(position, BLOCK_BYTES) - position;
    if (this.#inodes.kind(number) === 'symlink') {
      const totalBytes = headBytes + tailBytes;
      const startBlock = Math.floor(position / BLOCK_BYTES);
      const endBlock = Math.floor((position + totalBytes - 1) / BLOCK_BYTES);
      if (totalBytes >= BLOCK_BYTES) this.#tailToBlock(number);
      return startBlock === endBlock ? 0 : toNextBlock;
    }
    const room = BLOCK_BYTES - ((position + headBytes) % BLOCK_BYTES);
    if (room >= tailBytes) return 0;
    const padding = roundUp(room, SLOT_BYTES);
    const roomAfter = BLOCK_BYTES - ((position + headBytes + padding) % BLOCK_BYTES);
    if (roomAfter >= tailBytes) return padding;
    this.#tailToBlock(number);
    return toNextBlock;
  }
}

function oldestOf(inodes: ImageInodes): readonly [seconds: number, nanoseconds: number] {
  let [oldest, nanoseconds] = [Infinity, 0];
  for (let number = 0; number < inodes.count; number += 1) {
    const seconds = inodes.mtimeSeconds(number);
    if (seconds > oldest) continue;
    if (seconds === oldest && inodes.mtimeNanoseconds(number) >= nanoseconds) continue;
    oldest = seconds;
    nanoseconds = inodes.mtimeNanoseconds(number);
  }
  return [oldest, nanoseconds];
}
