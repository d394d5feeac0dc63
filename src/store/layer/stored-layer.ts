// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { sha256 } from '../../base/digest.ts';
import type { InlineContent } from '../tree/inode.ts';
import { INLINE_CEILING_BYTES } from './inline-limit.ts';
import type { LayerObject } from './layer-entry-codec.ts';
import type { LayerEntry } from './layer-entry.ts';
import {
  assertLayerChecksum,
  decodeLayerEntries,
  decodeLayerObjects,
  LAYER_HEADER_BYTES,
  LAYER_TRAILER_BYTES,
  type LayerTrailer,
  parseLayerHeader,
  parseLayerTrailer,
} from './layer-file.ts';
import { ByteReader } from '../disk/byte-reader.ts';
import { hashRange } from '../disk/hash-range.ts';
import type { LayerKey, LayerProof } from '../disk/layer-identity.ts';
import { openStored } from '../disk/open-stored.ts';
import { StoreError } from '../disk/store-error.ts';

/** A layer file, open for reading. */
export class StoredLayer implements Disposable {
  readonly key: LayerKey;
  readonly #what: string;
  #fd: number | undefined;
  #trailer: LayerTrailer | undefined;

  /** @throws StoreError STORE_DAMAGED for what is no file; what open(2) throws: ENOENT when there is no such layer. */
  constructor(path: string, key: LayerKey) {
    this.key = key;
    this.#what = `layer ${key} of the store`;
    this.#fd = openStored(path);
  }

  /** What proves its entries. @throws StoreError STORE_DAMAGED */
  get proof(): LayerProof {
    return this.#checked().proof;
  }

  /** How many entries it has. @throws StoreError STORE_DAMAGED */
  get entryCount(): number {
    return this.#checked().entryCount;
  }

  /**
   * The entries in archive order; each iteration reads and decodes them anew, a window at a time, so that they need little memory.
   * @throws StoreError STORE_DAMAGED, before the first entry when anything is not as it was written.
   */
  entries(): Iterable<LayerEntry> {
    const trailer = this.#checked();
    return {
      [Symbol.iterator]: () => decodeLayerEntries(this.#entriesReader(trailer), trailer),
    };
  }

  /**
   * What the layer needs of `objects/`; an object that two files have twice.
   * @throws StoreError STORE_DAMAGED, before the first as {@link entries}.
   */
  objects(): Iterable<LayerObject> {
    const trailer = this.#checked();
    return decodeLayerObjects(this.#entriesReader(trailer), trailer);
  }

  /**
   * The bytes of a small file of this layer: a view of `scratch` where that is large enough.
   * @throws StoreError STORE_DAMAGED when their digest differs.
   */
  readInline(content: InlineContent, scratch?: Buffer): Buffer {
    const { offset, sizeBytes } = content;
    // Whoever wrote the tree may have written any number: it must not decide how much memory is asked for.
    if (sizeBytes > INLINE_CEILING_BYTES) {
      throw this.#damaged(`a small file in it is said to have ${sizeBytes} bytes`);
    }
    const room = scratch === undefined || scratch.length < sizeBytes ? undefined : scratch;
    const bytes = this.#read(offset, sizeBytes, room?.subarray(0, sizeBytes));
    if (sha256(bytes) === content.digest) return bytes;
    throw this.#damaged(`the bytes at ${content.offset} are not those of ${content.digest}`);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #checked(): LayerTrailer {
    if (this.#trailer !== undefined) return this.#trailer;
    const fd = this.#descriptor();
    const trailerOffset = fstatSync(fd).size - LAYER_TRAILER_BYTES;
    if (trailerOffset < LAYER_HEADER_BYTES) throw this.#damaged('it is too short');
    const header = this.#read(0, LAYER_HEADER_BYTES);
    const proof = parseLayerHeader(header, this.#what);
    const trailerBytes = this.#read(trailerOffset, LAYER_TRAILER_BYTES);
    const trailer = parseLayerTrailer(trailerBytes, proof, this.#what);
    const { entriesOffset, key } = trailer;
    if (entriesOffset < LAYER_HEADER_BYTES || entriesOffset > trailerOffset) {
      throw this.#damaged('its entries lie outside of it');
    }
    const hash = createHash('sha256').update(header);
    hashRange(hash, fd, entriesOffset, trailerOffset);
    assertLayerChecksum(hash, trailerBytes, this.#what);
    if (key !== this.key) throw this.#damaged(`it is the file of ${key}`);
    this.#trailer = trailer;
    return trailer;
  }

  #entriesReader({ entriesOffset }: LayerTrailer): ByteReader {
    const fd = this.#descriptor();
    const end = fstatSync(fd).size - LAYER_TRAILER_BYTES;
    return ByteReader.ofFile(fd, entriesOffset, end, this.#what);
  }

  #read(offset: number, count: number, bytes: Buffer = Buffer.allocUnsafe(count)): Buffer {
    for (let have = 0; have < count;) {
      const got = readSync(this.#descriptor(), bytes, have, count - have, offset + have);
      if (got === 0) throw this.#damaged('it ends too early');
      have += got;
    }
    return bytes;
  }

  #descriptor(): number {
    if (this.#fd === undefined) throw new Error('the layer is closed');
    return this.#fd;
  }

  #damaged(reason: string): StoreError {
    return new StoreError('STORE_DAMAGED', `reading ${this.#what}: ${reason}`, {
      hint: 'sysct fsck --repair fetches it again',
    });
  }
}
