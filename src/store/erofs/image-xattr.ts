// SPDX-License-Identifier: Apache-2.0
import { bytesOf, byteStringOf, type ByteString, displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import { MAX_NAME_BYTES, roundUp, XATTR_ENTRY_BYTES } from './format.ts';
import { xxh32 } from './xxh32.ts';

/** One (key, value), which any number of inodes may have. */
export class ImageXattr {
  readonly key: ByteString;
  readonly value: ByteString;
  /** The key without the prefix that `prefixIndex` stands for. */
  readonly name: ByteString;
  readonly prefixIndex: number;
  /** Bit of the inode header's filter that says a name like this is present. */
  readonly filterBit: number;
  /** How many inodes have it. */
  uses = 0;
  /** Place in the shared area, or -1. */
  sharedOffset = -1;

  constructor(key: XattrKey, value: ByteString) {
    this.key = key.key;
    this.name = key.name;
    this.prefixIndex = key.prefixIndex;
    this.filterBit = key.filterBit;
    this.value = value;
    if (value.length > MAX_VALUE_BYTES) {
      throw new CheckoutError(
        'TREE_NOT_REPRESENTABLE',
        `writing xattr ${quote(displayBytes(key.key))}: its value of ${value.length} bytes is longer than ${MAX_VALUE_BYTES}`,
      );
    }
  }

  get sizeBytes(): number {
    return roundUp(XATTR_ENTRY_BYTES + this.name.length + this.value.length, 4);
  }
}

/** Makes one {@link ImageXattr} of each distinct (key, value) of an image, and counts its uses. */
export class XattrTable {
  readonly #keys = new Map<ByteString, XattrKey>();
  readonly #xattrs = new Map<string, ImageXattr>();

  intern(key: ByteString, value: ByteString): ImageXattr {
    const identity = `${key}\0${value}`;
    let xattr = this.#xattrs.get(identity);
    if (xattr === undefined) {
      xattr = new ImageXattr(this.keyOf(key), value);
      this.#xattrs.set(identity, xattr);
    }
    return xattr;
  }

  /** Gives every xattr that is used twice its place; in composefs' order: keys, lengths and values descending. */
  shared(): { readonly xattrs: readonly ImageXattr[]; readonly sizeBytes: number } {
    const xattrs = [...this.#xattrs.values()].filter((xattr) => xattr.uses > 1).sort(descending);
    let sizeBytes = 0;
    for (const xattr of xattrs) {
      xattr.sharedOffset = sizeBytes;
      sizeBytes += xattr.sizeBytes;
    }
    return { xattrs, sizeBytes };
  }

  /** Whether a key that begins so was ever interned. */
  hasKeyWith(prefix: string): boolean {
    return [...this.#keys.keys()].some((key) => key.startsWith(prefix));
  }

  keyOf(key: ByteString): XattrKey {
    let known = this.#keys.get(key);
    if (known === undefined) {
      known = splitKey(key);
      this.#keys.set(key, known);
    }
    return known;
  }
}

export interface XattrKey {
  readonly key: ByteString;
  readonly name: ByteString;
  readonly prefixIndex: number;
  readonly filterBit: number;
}

const MAX_VALUE_BYTES = 0xffff;
const FILTER_SEED = 0x25bbe08f;

const PREFIXES = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
] as const;

function splitKey(key: ByteString): XattrKey {
  const [prefix, prefixIndex] = PREFIXES.find(([text]) => key.startsWith(text)) ?? ['', 0];
  const name = key.slice(prefix.length) as ByteString;
  if (prefixIndex === 0 || name.length > MAX_NAME_BYTES) {
    throw new CheckoutError(
      'TREE_NOT_REPRESENTABLE',
      `writing xattr ${quote(displayBytes(key))}: EROFS has no place for such a name`,
    );
  }
  return {
    key,
    name,
    prefixIndex,
    filterBit: xxh32(bytesOf(name), FILTER_SEED + prefixIndex) & 31,
  };
}

function descending(a: ImageXattr, b: ImageXattr): number {
  if (a.key !== b.key) return a.key < b.key ? 1 : -1;
  if (a.value.length !== b.value.length) return b.value.length - a.value.length;
  return a.value < b.value ? 1 : -1;
}

export const NO_VALUE = byteStringOf('');
