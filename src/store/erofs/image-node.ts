// SPDX-License-Identifier: Apache-2.0
import { type ByteString, displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import type { FileContent, InodeAttributes } from '../tree/inode.ts';
import { type FILE_TYPES, MAX_NAME_BYTES } from './format.ts';
import type { ImageXattr } from './image-xattr.ts';

/** What an inode of the image holds besides its attributes. */
export type NodePayload =
  | { readonly kind: 'none' }
  | { readonly kind: 'entries'; readonly entries: DirectoryEntries }
  | { readonly kind: 'target'; readonly target: ByteString }
  /** A file with bytes: `inline` in the image, or an `object`, of which the inode has the size and a hole. */
  | FileContent
  | { readonly kind: 'device'; readonly encoded: number };

/** Names in bytewise order, `.` and `..` among them, and the inode of each. */
export interface DirectoryEntries {
  readonly names: readonly string[];
  readonly nodes: readonly ImageNode[];
}

/** An inode of the image: what it shows, and, once laid out, where it lies. */
export class ImageNode {
  readonly type: (typeof FILE_TYPES)[keyof typeof FILE_TYPES];
  readonly attributes: InodeAttributes;
  payload: NodePayload;
  xattrs: readonly ImageXattr[];
  nlink = 1;

  /** Its number, in the order of the image. */
  ino = 0;
  compact = false;
  /** Byte offset of the inode in the image. */
  position = 0;
  xattrBytes = 0;
  /** Of its xattrs, how many lie in the shared area. */
  sharedXattrs = 0;
  /** Full blocks in the data area, and the number of the first of them there. */
  blocks = 0;
  firstBlock = 0;
  /** Bytes that follow the xattrs. */
  tailBytes = 0;

  constructor(
    type: ImageNode['type'],
    attributes: InodeAttributes,
    payload: NodePayload,
    xattrs: readonly ImageXattr[],
  ) {
    this.type = type;
    this.attributes = attributes;
    this.payload = payload;
    this.xattrs = xattrs;
  }
}

/** @throws CheckoutError for what no directory entry can hold. */
export function assertName(name: ByteString): void {
  const impossible =
    name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0');
  if (impossible || name.length > MAX_NAME_BYTES) {
    throw new CheckoutError(
      'TREE_NOT_REPRESENTABLE',
      `writing a directory: ${quote(displayBytes(name))} cannot be the name of a file`,
    );
  }
}
