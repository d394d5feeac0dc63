// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { DIGEST_BYTES } from './byte-writer.ts';
import { StoreError } from './store-error.ts';

/** Reads what {@link ./byte-writer.ts} wrote. Never reads outside the bytes given, whatever they say. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #what: string;
  #at = 0;

  /** @param what names the bytes in messages. */
  constructor(buffer: Buffer, what: string) {
    this.#buffer = buffer;
    this.#what = what;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  byte(): number {
    const value = this.#buffer[this.#at];
    if (value === undefined) throw this.damaged('it ends too early');
    this.#at += 1;
    return value;
  }

  varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw this.damaged('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  uint32(): number {
    return this.#take(4).readUInt32LE();
  }

  uint64(): number {
    const value = Number(this.#take(8).readBigUInt64LE());
    if (value > Number.MAX_SAFE_INTEGER) throw this.damaged('a number is too large');
    return value;
  }

  digest(): Digest {
    const start = this.#advance(DIGEST_BYTES);
    return `sha256:${this.#buffer.toString('hex', start, this.#at)}` as Digest;
  }

  text(): ByteString {
    const start = this.#advance(this.varint());
    return this.#buffer.toString('latin1', start, this.#at) as ByteString;
  }

  /** A copy, so that it may outlive the buffer. */
  bytes(count: number): Buffer {
    return Buffer.from(this.#take(count));
  }

  /** A view, valid as long as the buffer is. */
  view(count: number): Buffer {
    return this.#take(count);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  damaged(reason: string): StoreError {
    return new StoreError('STORE_DAMAGED', `reading ${this.#what}: ${reason}`, {
      hint: 'pull the image again',
    });
  }

  #take(count: number): Buffer {
    const start = this.#advance(count);
    return this.#buffer.subarray(start, this.#at);
  }

  #advance(count: number): number {
    const start = this.#at;
    if (start + count > this.#buffer.length) throw this.damaged('it ends too early');
    this.#at = start + count;
    return start;
  }
}
