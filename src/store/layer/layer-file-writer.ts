// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { ByteWriter } from '../disk/byte-writer.ts';
import { DigestSet } from '../disk/digest-set.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import { writeWhole } from '../disk/write-whole.ts';
import type { FileContent } from '../tree/inode.ts';
import { NumberColumn } from '../tree/number-column.ts';
import { putLayerEntry } from './layer-entry-codec.ts';
import type { LayerEntry } from './layer-entry.ts';
import { INLINE_CEILING_BYTES } from './inline-limit.ts';
import { encodeLayerHeader, encodeLayerTrailer, LAYER_HEADER_BYTES } from './layer-file.ts';

const FIRST_OFFSETS = 512;

/**
 * Writes one layer file, front to back: contents as they come, behind them the entries. Those wait in a file of
 * their own, once they are more than a few, because a million of them would take a hundred megabytes.
 */
export class LayerFileWriter implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #layer: LayerIdentity;
  readonly #sum = createHash('sha256');
  readonly #entries = new ByteWriter((bytes) => this.#setAside(bytes));
  /** Of small files, and where each of them is, by its number in the set. */
  readonly #digests = new DigestSet();
  readonly #offsets = new NumberColumn(FIRST_OFFSETS);
  readonly #contents = Buffer.allocUnsafe(INLINE_CEILING_BYTES);
  #buffered = 0;
  #offset = LAYER_HEADER_BYTES;
  #entryCount = 0;
  #previousPath = '' as ByteString;
  /** The entries set aside; no name leads to it. */
  #aside: number | undefined;

  /** @param path must not exist. */
  constructor(path: string, layer: LayerIdentity) {
    this.#path = path;
    this.#layer = layer;
    this.#fd = openSync(path, 'wx', 0o600);
    const header = encodeLayerHeader(layer.proof);
    this.#sum.update(header);
    this.#contents.set(header);
    this.#buffered = header.length;
  }

  /** Where the bytes with this digest already are in this layer. */
  find(digest: Digest, sizeBytes: number): FileContent | undefined {
    const number = this.#digests.numberOf(digest);
    if (number === undefined) return undefined;
    return this.#inline(digest, sizeBytes, this.#offsets.get(number));
  }

  /** Puts the bytes of a small file, which have this digest and are not here yet. */
  put(digest: Digest, bytes: Uint8Array): FileContent {
    const offset = this.#offset;
    this.#offsets.set(this.#digests.add(digest), offset);
    if (this.#buffered + bytes.length > INLINE_CEILING_BYTES) this.#flush();
    this.#contents.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
    this.#offset += bytes.length;
    return this.#inline(digest, bytes.length, offset);
  }

  /** Appends an entry. */
  add(entry: LayerEntry): void {
    putLayerEntry(this.#entries, entry, this.#previousPath);
    this.#previousPath = entry.path;
    this.#entryCount += 1;
  }

  /** Completes the file. Nothing may be put after it. */
  finish(): void {
    this.#flush();
    if (this.#aside === undefined) {
      const entries = this.#entries.written();
      this.#sum.update(entries);
      writeWhole(this.#fd, entries);
    } else {
      this.#entries.flush();
      this.#fetchAside(this.#aside);
    }
    const { key, proof } = this.#layer;
    const trailer = {
      entriesOffset: this.#offset,
      entryCount: this.#entryCount,
      key,
      proof,
    };
    writeWhole(this.#fd, encodeLayerTrailer(trailer, this.#sum));
  }

  /** Closes the file, and gives back what it took beside it. */
  [Symbol.dispose](): void {
    closeSync(this.#fd);
    if (this.#aside !== undefined) closeSync(this.#aside);
    this.#aside = undefined;
  }

  #inline(digest: Digest, sizeBytes: number, offset: number): FileContent {
    return { kind: 'inline', digest, sizeBytes, layer: this.#layer.key, offset };
  }

  #flush(): void {
    writeWhole(this.#fd, this.#contents.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #setAside(bytes: Buffer): void {
    if (this.#aside === undefined) {
      const path = `${this.#path}.entries`;
      this.#aside = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
    }
    this.#sum.update(bytes);
    writeWhole(this.#aside, bytes);
  }

  #fetchAside(aside: number): void {
    for (let at = 0; ;) {
      const count = readSync(aside, this.#contents, 0, INLINE_CEILING_BYTES, at);
      if (count === 0) return;
      writeWhole(this.#fd, this.#contents.subarray(0, count));
      at += count;
    }
  }
}
