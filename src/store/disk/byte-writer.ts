// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { type Digest, digestHex } from '../../base/digest.ts';

/** Bytes of a digest in the store's own files. */
export const DIGEST_BYTES = 32;

const FIRST_BYTES = 64 * 1024;
/** The longest that one varint gets: 53 bits, seven a byte. */
const MAX_VARINT_BYTES = 8;

/** Builds the store's binary forms, in memory or through a drain. {@link ./byte-reader.ts} reads them back. */
export class ByteWriter {
  readonly #drain: ((bytes: Buffer) => void) | undefined;
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #drained = 0;

  /** @param drain gets the bytes a buffer full at a time, valid until it returns; the last ones by {@link flush}. Without it all are kept. */
  constructor(drain?: (bytes: Buffer) => void) {
    this.#drain = drain;
  }

  /** Bytes written so far, drained ones included. */
  get length(): number {
    return this.#drained + this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, low bits first. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= 0x80) {
      buffer[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    buffer[this.#length] = rest;
    this.#length += 1;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  uint64(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt(value), this.#length);
  }

  digest(digest: Digest): void {
    this.#reserve(DIGEST_BYTES);
    this.#length += this.#buffer.write(digestHex(digest), this.#length, 'hex');
  }

  /** Its length, then its bytes. */
  text(text: ByteString | string): void {
    this.varint(text.length);
    this.#reserve(text.length);
    this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  /** Adds `count` bytes, and returns where in {@link buffer} they are, to be filled in before the next call. */
  reserve(count: number): number {
    this.#reserve(count);
    this.#length += count;
    return this.#length - count;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  /** The bytes alone. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A view of all that was written and not drained; valid until the next write. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Drains what is left. */
  flush(): void {
    if (this.#length > 0) this.#drain?.(this.written());
    this.#drained += this.#length;
    this.#length = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    if (this.#drain !== undefined) {
      this.flush();
      if (count <= this.#buffer.length) return;
    }
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
