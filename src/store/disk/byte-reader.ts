// SPDX-License-Identifier: Apache-2.0
import { readSync } from 'node:fs';
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { DIGEST_BYTES } from './byte-writer.ts';
import { StoreError } from './store-error.ts';

const WINDOW_BYTES = 256 * 1024;

/** Nothing that is read in one is longer: the xattrs of an inode come to 1 MiB at most. */
const PIECE_MAX_BYTES = 2 * 1024 * 1024;

/** Reads what {@link ./byte-writer.ts} wrote. Never reads outside the bytes given, whatever they say. */
export class ByteReader {
  readonly #what: string;
  #buffer: Buffer;
  #at = 0;
  /** Where the bytes of `#buffer` end that mean something. */
  #end: number;
  /** What of a file is not in the buffer yet. */
  #rest: { readonly fd: number; position: number; readonly end: number } | undefined;

  /** @param what names the bytes in messages. */
  constructor(buffer: Buffer, what: string) {
    this.#buffer = buffer;
    this.#end = buffer.length;
    this.#what = what;
  }

  /** Reads the bytes from `start` to `end` of a file, a window at a time; the descriptor is the caller's. */
  static ofFile(fd: number, start: number, end: number, what: string): ByteReader {
    const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, Math.max(0, end - start)));
    const reader = new ByteReader(window, what);
    reader.#end = 0;
    reader.#rest = { fd, position: start, end };
    return reader;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end && (this.#rest?.position ?? 0) === (this.#rest?.end ?? 0);
  }

  byte(): number {
    if (this.#at === this.#end) this.#refill(1);
    const value = this.#buffer[this.#at] ?? 0;
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

  /** A view, valid until the next read. */
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
    if (this.#at + count > this.#end) this.#refill(count);
    const start = this.#at;
    this.#at = start + count;
    return start;
  }

  /** Has at least `count` bytes in the buffer from `#at` on. */
  #refill(count: number): void {
    const rest = this.#rest;
    const left = this.#end - this.#at;
    if (rest === undefined || count - left > rest.end - rest.position) {
      throw this.damaged('it ends too early');
    }
    if (count > PIECE_MAX_BYTES) throw this.damaged('a part of it is too long');
    const old = this.#buffer;
    if (count > old.length) this.#buffer = Buffer.allocUnsafeSlow(count);
    old.copy(this.#buffer, 0, this.#at, this.#end);
    this.#at = 0;
    this.#end = left;
    while (this.#end < this.#buffer.length && rest.position < rest.end) {
      const room = Math.min(this.#buffer.length - this.#end, rest.end - rest.position);
      const got = readSync(rest.fd, this.#buffer, this.#end, room, rest.position);
      if (got === 0) throw this.damaged('it ends too early');
      this.#end += got;
      rest.position += got;
    }
  }
}
