// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { ByteWriter } from '../disk/byte-writer.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import type { FileContent } from '../tree/inode.ts';
import { putLayerEntry } from './layer-entry-codec.ts';
import type { LayerEntry } from './layer-entry.ts';
import { encodeLayerHeader, encodeLayerTrailer, LAYER_HEADER_BYTES } from './layer-file.ts';
import { writeWhole } from '../disk/write-whole.ts';

const BUFFER_BYTES = 256 * 1024;

/** Writes one layer file, front to back: contents as they come, entries kept and written by {@link finish}. */
export class LayerFileWriter {
  readonly #fd: number;
  readonly #layer: LayerIdentity;
  readonly #entries = new ByteWriter();
  readonly #offsets = new Map<Digest, number>();
  readonly #contents = Buffer.allocUnsafe(BUFFER_BYTES);
  #buffered = 0;
  #offset = LAYER_HEADER_BYTES;
  #entryCount = 0;
  #previousPath = '' as ByteString;

  /** @param fd an empty file, the caller's to close. */
  constructor(fd: number, layer: LayerIdentity) {
    this.#fd = fd;
    this.#layer = layer;
    writeWhole(fd, encodeLayerHeader(layer.proof));
  }

  /** Where the bytes with this digest already are in this layer. */
  find(digest: Digest, sizeBytes: number): FileContent | undefined {
    const offset = this.#offsets.get(digest);
    return offset === undefined ? undefined : this.#inline(digest, sizeBytes, offset);
  }

  /** Puts the bytes of a small file, which have this digest and are not here yet. */
  put(digest: Digest, bytes: Uint8Array): FileContent {
    const offset = this.#offset;
    this.#offsets.set(digest, offset);
    if (this.#buffered + bytes.length > BUFFER_BYTES) this.#flush();
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
    const entries = this.#entries.written();
    const trailer = {
      entriesOffset: this.#offset,
      entryCount: this.#entryCount,
      ...this.#layer,
    };
    writeWhole(this.#fd, entries);
    writeWhole(this.#fd, encodeLayerTrailer(trailer, entries));
  }

  #inline(digest: Digest, sizeBytes: number, offset: number): FileContent {
    return { kind: 'inline', digest, sizeBytes, layer: this.#layer.key, offset };
  }

  #flush(): void {
    writeWhole(this.#fd, this.#contents.subarray(0, this.#buffered));
    this.#buffered = 0;
  }
}
