// SPDX-License-Identifier: Apache-2.0
import type { InodeNumber } from '../tree/tree.ts';
import { type DirectoryBlock, DOT, DOT_DOT, type ImageName } from './directory-names.ts';
import type { ErofsSources } from './erofs-sources.ts';
import {
  BLOCK_BYTES,
  CHUNK_POINTER_BYTES,
  DIRENT_BYTES,
  FILE_TYPES,
  HOLE,
  roundUp,
} from './format.ts';
import type { ImageInodes, ImageNumber } from './image-inodes.ts';
import type { ImageSink } from './image-sink.ts';
import type { ImageLayout } from './image-layout.ts';

/** Writes the contents of inodes: directories, link targets, small files. */
export class ContentWriter {
  readonly #sink: ImageSink;
  readonly #inodes: ImageInodes;
  readonly #layout: ImageLayout;
  readonly #sources: ErofsSources;

  constructor(sink: ImageSink, inodes: ImageInodes, layout: ImageLayout, sources: ErofsSources) {
    this.#sink = sink;
    this.#inodes = inodes;
    this.#layout = layout;
    this.#sources = sources;
  }

  /** Writes what follows the inode and its xattrs: the end of its content that fills no block. */
  putTail(number: ImageNumber): void {
    const tailBytes = this.#layout.tailBytes(number);
    if (tailBytes === 0) return;
    const { tree } = this.#inodes;
    const inode = this.#inodes.inodeOf(number);
    const type = tree.type(inode);
    if (type === 'directory') {
      this.#putLastNames(number);
    } else if (type === 'symlink') {
      this.#sink.putText(tree.target(inode));
    } else if (tree.layer(inode) === undefined) {
      this.#sink.buffer.writeUInt32LE(HOLE, this.#sink.reserve(CHUNK_POINTER_BYTES));
    } else {
      this.#sink.putBytes(this.#smallFile(inode), tree.sizeBytes(inode) - tailBytes);
    }
  }

  /** Writes the inode's blocks of the data area, the last one padded. */
  putBlocks(number: ImageNumber): void {
    const blocks = this.#layout.blocks(number);
    if (blocks === 0) return;
    const { tree } = this.#inodes;
    const inode = this.#inodes.inodeOf(number);
    const type = tree.type(inode);
    if (type === 'directory') this.#putFirstNames(number, blocks);
    else if (type === 'symlink') this.#sink.putText(tree.target(inode));
    else this.#sink.putBytes(this.#smallFile(inode), 0, blocks * BLOCK_BYTES);
    this.#sink.padTo(roundUp(this.#sink.position, BLOCK_BYTES));
  }

  #smallFile(inode: InodeNumber): Uint8Array {
    const content = this.#inodes.tree.content(inode);
    if (content.kind !== 'inline') throw new Error(`${content.digest} is an object`);
    const bytes = this.#sources.readInline(content);
    if (bytes.length === content.sizeBytes) return bytes;
    throw new Error(`${content.digest} has ${bytes.length} bytes instead of ${content.sizeBytes}`);
  }

  #putLastNames(number: ImageNumber): void {
    const directories = this.#inodes.names;
    const names = directories.of(this.#inodes.inodeOf(number));
    let block = directories.block(names, 0);
    while (block.end < names.length) block = directories.block(names, block.end);
    this.#putNames(names, block, number);
  }

  #putFirstNames(number: ImageNumber, blocks: number): void {
    const directories = this.#inodes.names;
    const names = directories.of(this.#inodes.inodeOf(number));
    for (let written = 0, first = 0; written < blocks; written += 1) {
      const block = directories.block(names, first);
      this.#putNames(names, block, number);
      this.#sink.padTo(roundUp(this.#sink.position, BLOCK_BYTES));
      first = block.end;
    }
  }

  #putNames(
    names: readonly ImageName[],
    { first, end, sizeBytes }: DirectoryBlock,
    directory: ImageNumber,
  ): void {
    const { buffer } = this.#sink;
    const start = this.#sink.reserve(sizeBytes);
    const directories = this.#inodes.names;
    let nameOffset = (end - first) * DIRENT_BYTES;
    for (let index = first; index < end; index += 1) {
      const name = names[index] ?? DOT;
      const at = start + (index - first) * DIRENT_BYTES;
      const [nid, type] = this.#target(name, directory);
      buffer.writeUInt32LE(nid, at);
      buffer.writeUInt16LE(nameOffset, at + 8);
      buffer.writeUInt8(type, at + 10);
      directories.copy(name, buffer, start + nameOffset);
      nameOffset += directories.length(name);
    }
  }

  #target(name: ImageName, directory: ImageNumber): readonly [nid: number, type: number] {
    if (name === DOT) return [this.#layout.nid(directory), FILE_TYPES.directory.dirent];
    if (name === DOT_DOT)
      return [this.#layout.nid(this.#inodes.parentOf(directory)), FILE_TYPES.directory.dirent];
    const number = this.#inodes.numberOfName(name);
    return [this.#layout.nid(number), this.#inodes.fileType(number).dirent];
  }
}
