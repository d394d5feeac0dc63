// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import { directoryBlock, type DirectoryBlock } from './directory-block.ts';
import {
  BLOCK_BYTES,
  CHUNK_POINTER_BYTES,
  DIRENT_BYTES,
  HOLE,
  roundUp,
  SLOT_BYTES,
} from './format.ts';
import type { DirectoryEntries, ImageNode } from './image-node.ts';
import type { ImageSink } from './image-sink.ts';
import type { InlineContent } from '../tree/inode.ts';
import type { ErofsSources } from './erofs-sources.ts';

/** Writes what follows the inode and its xattrs: the end of its content that fills no block. */
export function putTail(sink: ImageSink, node: ImageNode, sources: ErofsSources): void {
  if (node.tailBytes === 0) return;
  const { payload } = node;
  switch (payload.kind) {
    case 'none':
    case 'device':
      return;
    case 'entries': {
      const { names } = payload.entries;
      let block = directoryBlock(names, 0);
      while (block.end < names.length) block = directoryBlock(names, block.end);
      putDirectoryBlock(sink, payload.entries, block);
      return;
    }
    case 'target':
      sink.putText(payload.target);
      return;
    case 'inline':
      sink.putBytes(inlineBytes(sources, payload), payload.sizeBytes - node.tailBytes);
      return;
    case 'object':
      sink.buffer.writeUInt32LE(HOLE, sink.reserve(CHUNK_POINTER_BYTES));
      return;
    default:
      assertNever(payload);
  }
}

/** Writes the node's blocks of the data area, the last one padded. */
export function putBlocks(sink: ImageSink, node: ImageNode, sources: ErofsSources): void {
  if (node.blocks === 0) return;
  const { payload } = node;
  switch (payload.kind) {
    case 'none':
    case 'device':
    case 'object':
      return;
    case 'entries':
      putDirectoryBlocks(sink, payload.entries, node.blocks);
      return;
    case 'target':
      sink.putText(payload.target);
      break;
    case 'inline':
      sink.putBytes(inlineBytes(sources, payload), 0, node.blocks * BLOCK_BYTES);
      break;
    default:
      assertNever(payload);
  }
  sink.padTo(roundUp(sink.position, BLOCK_BYTES));
}

function inlineBytes(sources: ErofsSources, content: InlineContent): Uint8Array {
  const bytes = sources.readInline(content);
  if (bytes.length === content.sizeBytes) return bytes;
  throw new Error(`${content.digest} has ${bytes.length} bytes instead of ${content.sizeBytes}`);
}

function putDirectoryBlocks(sink: ImageSink, entries: DirectoryEntries, blocks: number): void {
  for (let written = 0, first = 0; written < blocks; written += 1) {
    const block = directoryBlock(entries.names, first);
    putDirectoryBlock(sink, entries, block);
    sink.padTo(roundUp(sink.position, BLOCK_BYTES));
    first = block.end;
  }
}

function putDirectoryBlock(
  sink: ImageSink,
  { names, nodes }: DirectoryEntries,
  { first, end, sizeBytes }: DirectoryBlock,
): void {
  const { buffer } = sink;
  const start = sink.reserve(sizeBytes);
  let nameOffset = (end - first) * DIRENT_BYTES;
  for (let index = first; index < end; index += 1) {
    const node = nodes[index];
    const name = names[index];
    if (node === undefined || name === undefined) return;
    const at = start + (index - first) * DIRENT_BYTES;
    const nid = node.position / SLOT_BYTES;
    buffer.writeUInt32LE(nid % 2 ** 32, at);
    buffer.writeUInt32LE(Math.floor(nid / 2 ** 32), at + 4);
    buffer.writeUInt16LE(nameOffset, at + 8);
    buffer.writeUInt8(node.type.dirent, at + 10);
    nameOffset += buffer.write(name, start + nameOffset, 'latin1');
  }
}
