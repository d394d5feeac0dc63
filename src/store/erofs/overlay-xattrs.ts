// SPDX-License-Identifier: Apache-2.0
import { byteString, byteStringOf, type ByteString } from '../../base/byte-string.ts';
import { digestHex } from '../../base/digest.ts';
import type { DirectoryInode, Inode, ObjectContent } from '../tree/inode.ts';
import { type ImageXattr, NO_VALUE, type XattrTable } from './image-xattr.ts';
import type { ErofsSources } from './erofs-sources.ts';

/**
 * What overlay may find on an inode is decided here alone: `trusted.overlay.*` of a layer is moved
 * to `trusted.overlay.overlay.*`, where overlay does not act on it (and shows it under its old name),
 * so that an image can neither expose an object that is not its own nor hide a file.
 */
export class OverlayXattrs {
  readonly #table: XattrTable;
  readonly #sources: ErofsSources;
  readonly #empty: readonly ImageXattr[] = [];
  /** 0:0 character devices seen so far. */
  escapedWhiteouts = 0;

  constructor(table: XattrTable, sources: ErofsSources) {
    this.#table = table;
    this.#sources = sources;
  }

  /** The xattrs of `inode` in the image, by key. `place` is `shadowed` where a directory of objects has its name. */
  of(inode: Inode, place: 'root' | 'shadowed' | 'elsewhere'): readonly ImageXattr[] {
    const own = inode.xattrs.size > 0;
    const redirected = redirectedContent(inode);
    const marked = inode.type === 'directory' ? place !== 'elsewhere' || hasWhiteout(inode) : false;
    const escaped = isWhiteout(inode);
    if (!own && !marked && !escaped) {
      return redirected === undefined ? this.#empty : this.#counted(this.#redirect(redirected));
    }
    const pairs = new Map<ByteString, ByteString>();
    for (const [key, value] of inode.xattrs) pairs.set(escapeKey(key), byteString(value));
    if (redirected !== undefined) {
      for (const { key, value } of this.#redirect(redirected)) pairs.set(key, value);
    }
    if (escaped) {
      this.escapedWhiteouts += 1;
      for (const key of ESCAPED_WHITEOUT) pairs.set(key, NO_VALUE);
    }
    if (inode.type === 'directory' && hasWhiteout(inode)) {
      for (const [key, value] of ESCAPED_WHITEOUTS) pairs.set(key, value);
    }
    if (place !== 'elsewhere' && inode.type === 'directory') pairs.set(OPAQUE, byteStringOf('y'));
    const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
    return this.#counted(sorted.map(([key, value]) => this.#table.intern(key, value)));
  }

  #redirect(content: ObjectContent): ImageXattr[] {
    const hex = digestHex(content.digest);
    const path = `/${hex.slice(0, 2)}/${hex.slice(2)}` as ByteString;
    const verity = this.#sources.verityDigest?.(content);
    const metacopy = verity === undefined ? NO_VALUE : metacopyValue(verity);
    return [this.#table.intern(METACOPY, metacopy), this.#table.intern(REDIRECT, path)];
  }

  #counted(xattrs: readonly ImageXattr[]): readonly ImageXattr[] {
    for (const xattr of xattrs) xattr.uses += 1;
    return xattrs;
  }
}

/** A 0:0 character device, which overlay would take for "this name is deleted". */
export function isWhiteout(inode: Inode): boolean {
  return inode.type === 'char' && inode.deviceMajor === 0 && inode.deviceMinor === 0;
}

const OVERLAY = 'trusted.overlay.';
const METACOPY = byteStringOf('trusted.overlay.metacopy');
const REDIRECT = byteStringOf('trusted.overlay.redirect');
const OPAQUE = byteStringOf('trusted.overlay.opaque');

// Shown as trusted.overlay.whiteout inside, where a nested overlay takes the file for a whiteout.
const ESCAPED_WHITEOUT = ['trusted.overlay.overlay.whiteout', 'user.overlay.whiteout'].map(
  byteStringOf,
);
const ESCAPED_WHITEOUTS: readonly (readonly [ByteString, ByteString])[] = [
  [byteStringOf('trusted.overlay.overlay.whiteouts'), NO_VALUE],
  [byteStringOf('trusted.overlay.overlay.opaque'), byteStringOf('x')],
  [byteStringOf('user.overlay.whiteouts'), NO_VALUE],
  [byteStringOf('user.overlay.opaque'), byteStringOf('x')],
];

function redirectedContent(inode: Inode): ObjectContent | undefined {
  if (inode.type !== 'file' || inode.content.kind !== 'object') return undefined;
  return inode.content.sizeBytes === 0 ? undefined : inode.content;
}

function hasWhiteout(directory: DirectoryInode): boolean {
  for (const child of directory.children.values()) if (isWhiteout(child)) return true;
  return false;
}

function escapeKey(key: ByteString): ByteString {
  return key.startsWith(OVERLAY)
    ? (`${OVERLAY}overlay.${key.slice(OVERLAY.length)}` as ByteString)
    : key;
}

// version 0, length 36, no flags, algorithm 1 (sha256)
function metacopyValue(digest: Uint8Array): ByteString {
  return byteString(Buffer.from([0, 4 + digest.length, 0, 1, ...digest]));
}
