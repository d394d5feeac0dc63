// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../base/strict-json.ts';

/** A part of a JSON object. */
export interface JsonPiece {
  readonly key: string;
  /** An `element` is that of a `list` before it, which is a member that is an array, here an empty one. */
  readonly kind: 'member' | 'list' | 'element';
  readonly value: JsonValue;
  /** As it is written. */
  readonly text: string;
}

/** Longer than the longest path with all the xattrs that it may have. */
const PIECE_MAX_BYTES = 4 * 1024 * 1024;

/** Of the object itself. */
const MAX_MEMBERS = 64;

/** Far deeper than anything that is read so. */
const MAX_DEPTH = 16;

const BYTE = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/**
 * The members of the JSON object that `bytes` are, in order; of members that are arrays, their elements one
 * by one. Each is parsed by itself, when it is asked for: a document that is made to come to a hundred times its
 * size in memory, by depth or by number, comes to that of one piece. A key that comes twice is an error.
 *
 * @throws SyntaxError
 */
export function* jsonPieces(bytes: Buffer): Generator<JsonPiece, void, undefined> {
  const cursor = new Cursor(bytes);
  const keys = new Set<string>();
  cursor.take(BYTE.openBrace);
  for (let isFirst = true; !cursor.ends(BYTE.closeBrace, isFirst); isFirst = false) {
    const { value: key } = cursor.value();
    if (typeof key !== 'string' || keys.has(key) || keys.size === MAX_MEMBERS)
      throw cursor.unexpected();
    keys.add(key);
    cursor.take(BYTE.colon);
    if (!cursor.tries(BYTE.openBracket)) {
      yield { key, kind: 'member', ...cursor.value() };
      continue;
    }
    yield { key, kind: 'list', value: [], text: '' };
    for (let isNone = true; !cursor.ends(BYTE.closeBracket, isNone); isNone = false) {
      yield { key, kind: 'element', ...cursor.value() };
    }
  }
  cursor.end();
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(byte: number): void {
    if (!this.tries(byte)) throw this.unexpected();
  }

  /** Takes it if it comes next. */
  tries(byte: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** Whether the list ends here; else takes the comma that must come, unless it is the first time. */
  ends(close: number, isFirst: boolean): boolean {
    if (this.tries(close)) return true;
    if (!isFirst) this.take(BYTE.comma);
    return false;
  }

  value(): { readonly value: JsonValue; readonly text: string } {
    this.#skipSpace();
    const start = this.#at;
    this.#skipValue();
    if (this.#at - start > PIECE_MAX_BYTES) throw this.unexpected();
    const text = this.#bytes.toString('utf8', start, this.#at);
    return { value: JSON.parse(text) as JsonValue, text };
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#bytes.length) throw this.unexpected();
  }

  unexpected(): SyntaxError {
    return new SyntaxError(`unexpected JSON at byte ${this.#at}`);
  }

  #skipSpace(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at += 1;
  }

  /** To the end of the value, as far as brackets and quotes tell it. */
  #skipValue(): void {
    let depth = 0;
    do {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.unexpected();
      if (byte === BYTE.quote) this.#skipString();
      else if (byte === BYTE.openBrace || byte === BYTE.openBracket) depth += 1;
      else if (byte === BYTE.closeBrace || byte === BYTE.closeBracket) depth -= 1;
      else if (depth === 0) return this.#skipScalar();
      if (depth < 0 || depth > MAX_DEPTH) throw this.unexpected();
      this.#at += 1;
    } while (depth > 0);
  }

  /** To its closing quote. */
  #skipString(): void {
    for (this.#at += 1; this.#bytes[this.#at] !== BYTE.quote; this.#at += 1) {
      if (this.#bytes[this.#at] === BYTE.backslash) this.#at += 1;
      if (this.#at >= this.#bytes.length) throw this.unexpected();
    }
  }

  #skipScalar(): void {
    for (; this.#at < this.#bytes.length; this.#at += 1) {
      const byte = this.#bytes[this.#at];
      if (isSpace(byte) || byte === BYTE.comma) return;
      if (byte === BYTE.closeBrace || byte === BYTE.closeBracket) return;
    }
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
