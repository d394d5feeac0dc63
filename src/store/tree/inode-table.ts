// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { type Digest, digestHex } from '../../base/digest.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import { AttributeTable, type SharedAttributes } from './attribute-table.ts';
import type { ByteArena } from './byte-arena.ts';
import { grown } from './grown-array.ts';
import type { FileContent, Inode, InodeAttributes, InodeType } from './inode.ts';
import { NumberColumn } from './number-column.ts';

const TYPES: readonly InodeType[] = ['file', 'directory', 'symlink', 'char', 'block', 'fifo'];
const CODES = Object.fromEntries(TYPES.map((type, code) => [type, code])) as Record<
  InodeType,
  number
>;

/**
 * The inodes of a tree in columns, some 60 bytes each: as objects they would need ten times that, and
 * V8's collector would walk them all again and again. What the two numbers of an inode say depends on its type:
 *
 *     file       size · offset in its layer file
 *     directory  its first name · its last one
 *     symlink    address of the target · its length
 *     device     major · minor
 */
export class InodeTable {
  readonly #arena: ByteArena;
  readonly #attributes = new AttributeTable();
  readonly #layers: LayerKey[] = [];
  readonly #layerNumbers = new Map<LayerKey, number>();
  #count = 0;
  #type: Uint8Array;
  #shared: Uint32Array;
  readonly #seconds: NumberColumn;
  #nanoseconds: Uint32Array;
  readonly #first: NumberColumn;
  readonly #second: NumberColumn;
  /** Of a file: the number of its layer, from 1; 0 where its bytes are an object. */
  #layer: Uint16Array;
  #digests: Buffer<ArrayBuffer>;

  constructor(arena: ByteArena, capacity: number) {
    this.#arena = arena;
    this.#type = new Uint8Array(capacity);
    this.#shared = new Uint32Array(capacity);
    this.#seconds = new NumberColumn(capacity);
    this.#nanoseconds = new Uint32Array(capacity);
    this.#first = new NumberColumn(capacity);
    this.#second = new NumberColumn(capacity);
    this.#layer = new Uint16Array(capacity);
    this.#digests = bufferOf(new Uint8Array(capacity * DIGEST_BYTES));
  }

  get count(): number {
    return this.#count;
  }

  add(type: InodeType, attributes: InodeAttributes, first = 0, second = 0): number {
    const inode = this.#count;
    this.#count += 1;
    if (inode >= this.#type.length) this.#grow(this.#count);
    this.#type[inode] = CODES[type];
    this.setAttributes(inode, attributes);
    if (first !== 0) this.#first.set(inode, first);
    if (second !== 0) this.#second.set(inode, second);
    return inode;
  }

  addSymlink(attributes: InodeAttributes, target: ByteString): number {
    return this.add('symlink', attributes, this.#arena.put(target), target.length);
  }

  addFile(attributes: InodeAttributes, content: FileContent): number {
    const inode = this.add('file', attributes, content.sizeBytes);
    this.#digests.write(digestHex(content.digest), inode * DIGEST_BYTES, 'hex');
    if (content.kind === 'inline') {
      this.#layer[inode] = this.layerNumber(content.layer);
      this.#second.set(inode, content.offset);
    }
    return inode;
  }

  setAttributes(inode: number, attributes: InodeAttributes): void {
    this.#shared[inode] = this.#attributes.intern(attributes);
    if (attributes.mtimeSeconds !== this.#seconds.get(inode)) {
      this.#seconds.set(inode, attributes.mtimeSeconds);
    }
    // A page that is never written to costs no memory.
    if (attributes.mtimeNanoseconds !== this.#nanoseconds[inode]) {
      this.#nanoseconds[inode] = attributes.mtimeNanoseconds;
    }
  }

  type(inode: number): InodeType {
    return TYPES[this.#type[inode] ?? 0] ?? 'file';
  }

  isDirectory(inode: number): boolean {
    return this.#type[inode] === CODES.directory;
  }

  shared(inode: number): SharedAttributes {
    return this.#attributes.of(this.#shared[inode] ?? 0);
  }

  seconds(inode: number): number {
    return this.#seconds.get(inode);
  }

  nanoseconds(inode: number): number {
    return this.#nanoseconds[inode] ?? 0;
  }

  /** See the table at the top. */
  first(inode: number): number {
    return this.#first.get(inode);
  }

  setFirst(inode: number, value: number): void {
    this.#first.set(inode, value);
  }

  second(inode: number): number {
    return this.#second.get(inode);
  }

  setSecond(inode: number, value: number): void {
    this.#second.set(inode, value);
  }

  target(inode: number): ByteString {
    return this.#arena.text(this.first(inode), this.second(inode));
  }

  /** The layer that a file's bytes lie in; undefined where they are an object. */
  layer(inode: number): LayerKey | undefined {
    const number = this.#layer[inode] ?? 0;
    return number === 0 ? undefined : this.#layers[number - 1];
  }

  /** Copies the 32 bytes of a file's digest to `at` of `target`. */
  copyDigest(inode: number, target: Uint8Array, at: number): void {
    const from = inode * DIGEST_BYTES;
    this.#digests.copy(target, at, from, from + DIGEST_BYTES);
  }

  digest(inode: number): Digest {
    const from = inode * DIGEST_BYTES;
    return `sha256:${this.#digests.toString('hex', from, from + DIGEST_BYTES)}` as Digest;
  }

  /** All digests, 32 bytes an inode, valid until one is added. */
  get digests(): Uint8Array {
    return this.#digests;
  }

  content(inode: number): FileContent {
    const digest = this.digest(inode);
    const sizeBytes = this.first(inode);
    const layer = this.layer(inode);
    if (layer === undefined) return { kind: 'object', digest, sizeBytes };
    return { kind: 'inline', digest, sizeBytes, layer, offset: this.second(inode) };
  }

  value(inode: number): Inode {
    const type = this.type(inode);
    const attributes = {
      ...this.shared(inode),
      mtimeSeconds: this.seconds(inode),
      mtimeNanoseconds: this.nanoseconds(inode),
    };
    switch (type) {
      case 'file':
        return { type, ...attributes, content: this.content(inode) };
      case 'symlink':
        return { type, ...attributes, target: this.target(inode) };
      case 'char':
      case 'block': {
        const [deviceMajor, deviceMinor] = [this.first(inode), this.second(inode)];
        return { type, ...attributes, deviceMajor, deviceMinor };
      }
      case 'directory':
      case 'fifo':
        return { type, ...attributes };
    }
  }

  layerNumber(layer: LayerKey): number {
    const known = this.#layerNumbers.get(layer);
    if (known !== undefined) return known;
    const number = this.#layers.push(layer);
    this.#layerNumbers.set(layer, number);
    return number;
  }

  #grow(count: number): void {
    this.#type = grown(this.#type, count);
    this.#shared = grown(this.#shared, count);
    this.#nanoseconds = grown(this.#nanoseconds, count);
    this.#layer = grown(this.#layer, count);
    this.#digests = bufferOf(grown(new Uint8Array(this.#digests.buffer), count * DIGEST_BYTES));
  }
}

function bufferOf({ buffer }: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(buffer);
}
