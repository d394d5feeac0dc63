// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import { MAX_SHARED_PER_INODE, XATTR_ENTRY_BYTES, XATTR_HEADER_BYTES } from './format.ts';
import type { ImageXattr } from './image-xattr.ts';

/** What follows an inode: the bytes of its xattrs, and how many of them are references into the shared area. */
export interface XattrArea {
  readonly sizeBytes: number;
  readonly shared: number;
}

export const NO_AREA: XattrArea = { sizeBytes: 0, shared: 0 };

/** @throws CheckoutError TREE_NOT_REPRESENTABLE */
export function xattrArea(xattrs: readonly ImageXattr[]): XattrArea {
  if (xattrs.length === 0) return NO_AREA;
  let sizeBytes = XATTR_HEADER_BYTES;
  let shared = 0;
  for (const xattr of xattrs) {
    if (xattr.sharedOffset >= 0 && shared < MAX_SHARED_PER_INODE) {
      shared += 1;
      sizeBytes += XATTR_ENTRY_BYTES;
    } else {
      sizeBytes += xattr.sizeBytes;
    }
  }
  // The inode counts them in units of 4 bytes, in 16 bits.
  if (xattrUnits(sizeBytes) > 0xffff) {
    const first = xattrs[0]?.key ?? '';
    throw new CheckoutError(
      'TREE_NOT_REPRESENTABLE',
      `writing the xattrs of one file (${quote(first)} and ${xattrs.length - 1} more): ${sizeBytes} bytes are too many`,
    );
  }
  return { sizeBytes, shared };
}

/** What the inode says of its xattr area: 1 stands for the header, and each further one for 4 bytes. */
export function xattrUnits(sizeBytes: number): number {
  return sizeBytes === 0 ? 0 : (sizeBytes - XATTR_HEADER_BYTES) / 4 + 1;
}
