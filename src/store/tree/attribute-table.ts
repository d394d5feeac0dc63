// SPDX-License-Identifier: Apache-2.0
import { type InodeAttributes, NO_XATTRS } from './inode.ts';

/** What most inodes of an image share with many others: all attributes but the time. */
export type SharedAttributes = Omit<InodeAttributes, 'mtimeSeconds' | 'mtimeNanoseconds'>;

const RECENT = 256;

/** Keeps each distinct combination of attributes once, and names it by a number. */
export class AttributeTable {
  readonly #attributes: SharedAttributes[] = [];
  readonly #numbers = new Map<string, number>();
  /** The numbers last given, by a hash of the attributes: spares most inodes a key. */
  readonly #recent = new Int32Array(RECENT).fill(-1);

  /** The number of these attributes, the same for equal ones. */
  intern(attributes: SharedAttributes): number {
    const { mode, uid, gid, xattrs } = attributes;
    if (xattrs.size > 0) return this.#number(attributes);
    const slot = (mode ^ Math.imul(uid, 31) ^ Math.imul(gid, 17)) & (RECENT - 1);
    const recent = this.#recent[slot] ?? -1;
    const known = this.#attributes[recent];
    const isKnown = known?.mode === mode && known.uid === uid && known.gid === gid;
    if (isKnown && known.xattrs.size === 0) return recent;
    const number = this.#number(attributes);
    this.#recent[slot] = number;
    return number;
  }

  of(number: number): SharedAttributes {
    return this.#attributes[number] ?? NONE;
  }

  #number({ mode, uid, gid, xattrs }: SharedAttributes): number {
    const pairs = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
    const words = pairs.map(([key, value]) => `${key.length}:${key}=${value.toString('hex')}`);
    const key = `${mode} ${uid} ${gid} ${words.join(' ')}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#attributes.push({ mode, uid, gid, xattrs }) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

const NONE: SharedAttributes = { mode: 0, uid: 0, gid: 0, xattrs: NO_XATTRS };
