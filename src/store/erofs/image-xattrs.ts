// SPDX-License-Identifier: Apache-2.0
import { byteString, byteStringOf, type ByteString } from '../../base/byte-string.ts';
import { digestHex } from '../../base/digest.ts';
import { compareDigests, sortByDigest } from '../tree/digest-order.ts';
import { giveBack } from '../disk/give-back.ts';
import type { InodeNumber } from '../tree/tree.ts';
import type { ErofsSources } from './erofs-sources.ts';
import type { ImageInodes, ImageNumber } from './image-inodes.ts';
import { ImageXattr, NO_VALUE, XattrTable } from './image-xattr.ts';
import { NO_AREA, type XattrArea, xattrArea } from './xattr-area.ts';

/**
 * The xattrs of the image's inodes. What overlay may find on an inode is decided here alone:
 * `trusted.overlay.*` of a layer is moved to `trusted.overlay.overlay.*`, where overlay does not
 * act on it (and shows it under its old name), so that an image can neither expose an object that is
 * not its own nor hide a file.
 *
 * Most inodes have none, or the two that lead to an object, which are made anew each time they are asked for; those
 * of the others, and those that two inodes have, are kept.
 */
export class ImageXattrs {
  readonly #inodes: ImageInodes;
  readonly #sources: ErofsSources;
  readonly #table = new XattrTable();
  /** Of inodes that have more than a redirect. */
  readonly #kept = new Map<ImageNumber, readonly ImageXattr[]>();
  /** Redirects that several inodes have, by the tree's number of each. */
  readonly #redirects = new Map<InodeNumber, readonly ImageXattr[]>();
  readonly #plainMetacopy: ImageXattr;
  /** All redirects that only one inode has take the same room. */
  #common: XattrArea | undefined;
  /** What lies in the shared area, in its order. */
  readonly shared: readonly ImageXattr[];
  readonly sharedBytes: number;
  /** 0:0 character devices of the tree. */
  escapedWhiteouts = 0;

  /** @throws CheckoutError TREE_NOT_REPRESENTABLE */
  constructor(inodes: ImageInodes, sources: ErofsSources) {
    this.#inodes = inodes;
    this.#sources = sources;
    this.#plainMetacopy = this.#table.intern(METACOPY, NO_VALUE);
    this.#shareRedirects();
    for (let number = 0; number < inodes.count; number += 1) this.#keep(number);
    const shared = this.#table.shared();
    this.shared = shared.xattrs;
    this.sharedBytes = shared.sizeBytes;
  }

  /** By key. */
  of(number: ImageNumber): readonly ImageXattr[] {
    return this.#kept.get(number) ?? this.#redirect(number);
  }

  /** Bytes and shared ones of an inode's xattr area. @throws CheckoutError when they are too many to count. */
  measure(number: ImageNumber): XattrArea {
    const isCommon = !this.#kept.has(number) && this.#sources.verityDigest === undefined;
    if (isCommon) {
      if (this.#inodes.kind(number) !== 'redirect') return NO_AREA;
      if (!this.#redirects.has(this.#inodes.inodeOf(number))) {
        this.#common ??= xattrArea(this.#redirect(number));
        return this.#common;
      }
    }
    return xattrArea(this.of(number));
  }

  /** Whether some inode has a POSIX ACL. */
  get hasAcl(): boolean {
    return this.#table.hasKeyWith(ACL);
  }

  /** Files with equal contents have one redirect, which then lies in the shared area. */
  #shareRedirects(): void {
    const { tree } = this.#inodes;
    const objects = new Uint32Array(this.#inodes.count);
    let count = 0;
    for (let number = 0; number < this.#inodes.count; number += 1) {
      if (this.#inodes.kind(number) !== 'redirect') continue;
      objects[count] = this.#inodes.inodeOf(number);
      count += 1;
    }
    const sorted = sortByDigest(objects.subarray(0, count), tree.digests);
    giveBack(objects);
    let previous: InodeNumber | undefined;
    for (const inode of sorted) {
      if (previous !== undefined && compareDigests(tree.digests, previous, inode) === 0) {
        const xattrs = this.#redirects.get(previous) ?? this.#countedRedirect(previous);
        this.#redirects.set(inode, this.#counted(xattrs));
      } else {
        previous = inode;
      }
    }
    // Of the others only the metacopy may be shared: it is the same for all that are not sealed.
    for (const inode of sorted) {
      if (this.#redirects.has(inode)) continue;
      if (this.#metacopy(inode) === this.#plainMetacopy) this.#plainMetacopy.uses += 1;
    }
    giveBack(sorted);
  }

  #countedRedirect(inode: InodeNumber): readonly ImageXattr[] {
    const xattrs = this.#madeRedirect(inode).map(({ key, value }) =>
      this.#table.intern(key, value),
    );
    this.#redirects.set(inode, this.#counted(xattrs));
    return xattrs;
  }

  #redirect(number: ImageNumber): readonly ImageXattr[] {
    if (this.#inodes.kind(number) !== 'redirect') return NONE;
    const inode = this.#inodes.inodeOf(number);
    return this.#redirects.get(inode) ?? this.#madeRedirect(inode);
  }

  #madeRedirect(inode: InodeNumber): readonly ImageXattr[] {
    const hex = digestHex(this.#inodes.tree.digest(inode));
    const path = `/${hex.slice(0, 2)}/${hex.slice(2)}` as ByteString;
    return [this.#metacopy(inode), new ImageXattr(this.#table.keyOf(REDIRECT), path)];
  }

  #metacopy(inode: InodeNumber): ImageXattr {
    if (this.#sources.verityDigest === undefined) return this.#plainMetacopy;
    const content = this.#inodes.tree.content(inode);
    const verity = content.kind === 'object' ? this.#sources.verityDigest(content) : undefined;
    return verity === undefined
      ? this.#plainMetacopy
      : new ImageXattr(this.#table.keyOf(METACOPY), metacopyValue(verity));
  }

  #keep(number: ImageNumber): void {
    const inodes = this.#inodes;
    const own = inodes.attributes(number).xattrs;
    const mark = inodes.marked.get(number);
    const isEscaped = inodes.kind(number) === 'escapedWhiteout';
    if (own.size === 0 && mark === undefined && !isEscaped) return;
    const redirect = this.#redirect(number);
    const pairs = new Map<ByteString, ByteString>();
    for (const [key, value] of own) pairs.set(escapeKey(key), byteString(value));
    if (isEscaped) {
      this.escapedWhiteouts += 1;
      for (const key of ESCAPED_WHITEOUT) pairs.set(key, NO_VALUE);
    }
    if (mark?.hasWhiteout === true) {
      for (const [key, value] of ESCAPED_WHITEOUTS) pairs.set(key, value);
    }
    if (mark?.isOpaque === true) pairs.set(OPAQUE, byteStringOf('y'));
    const xattrs = [...pairs].map(([key, value]) => this.#table.intern(key, value));
    const all = [...this.#counted(xattrs), ...redirect];
    this.#kept.set(
      number,
      all.sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
  }

  #counted(xattrs: readonly ImageXattr[]): readonly ImageXattr[] {
    for (const xattr of xattrs) xattr.uses += 1;
    return xattrs;
  }
}

const NONE: readonly ImageXattr[] = [];
const ACL = 'system.posix_acl_';
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

function escapeKey(key: ByteString): ByteString {
  return key.startsWith(OVERLAY)
    ? (`${OVERLAY}overlay.${key.slice(OVERLAY.length)}` as ByteString)
    : key;
}

// version 0, length 36, no flags, algorithm 1 (sha256)
function metacopyValue(digest: Uint8Array): ByteString {
  return byteString(Buffer.from([0, 4 + digest.length, 0, 1, ...digest]));
}
