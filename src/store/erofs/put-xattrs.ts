// SPDX-License-Identifier: Apache-2.0
import { MAX_SHARED_PER_INODE, XATTR_ENTRY_BYTES, XATTR_HEADER_BYTES } from './format.ts';
import type { ImageSink } from './image-sink.ts';
import type { ImageXattr } from './image-xattr.ts';

/** Writes an inode's xattr area; `sharedStart` is where in its block the shared area begins. */
export function putXattrs(
  sink: ImageSink,
  xattrs: readonly ImageXattr[],
  sharedStart: number,
): void {
  if (xattrs.length === 0) return;
  const at = sink.reserve(XATTR_HEADER_BYTES);
  sink.buffer.writeUInt32LE(nameFilter(xattrs), at);
  const own: ImageXattr[] = [];
  let shared = 0;
  for (const xattr of xattrs) {
    if (xattr.sharedOffset >= 0 && shared < MAX_SHARED_PER_INODE) shared += 1;
    else own.push(xattr);
  }
  sink.buffer.writeUInt8(shared, at + 4);
  for (const xattr of xattrs) {
    if (shared === 0) break;
    if (xattr.sharedOffset < 0) continue;
    shared -= 1;
    const reference = sink.reserve(XATTR_ENTRY_BYTES);
    sink.buffer.writeUInt32LE((sharedStart + xattr.sharedOffset) / 4, reference);
  }
  for (const xattr of own) putXattr(sink, xattr);
}

/** Writes one entry, padded to 4 bytes. */
export function putXattr(sink: ImageSink, xattr: ImageXattr): void {
  const at = sink.reserve(XATTR_ENTRY_BYTES);
  sink.buffer.writeUInt8(xattr.name.length, at);
  sink.buffer.writeUInt8(xattr.prefixIndex, at + 1);
  sink.buffer.writeUInt16LE(xattr.value.length, at + 2);
  sink.putText(xattr.name);
  sink.putText(xattr.value);
  const rest = (xattr.name.length + xattr.value.length) % 4;
  if (rest > 0) sink.reserve(4 - rest);
}

// A zero bit says: a name that hashes to it may be here. One more than ones lets the kernel skip the search.
function nameFilter(xattrs: readonly ImageXattr[]): number {
  let present = 0;
  for (const { filterBit } of xattrs) present |= 1 << filterBit;
  return ~present >>> 0;
}
