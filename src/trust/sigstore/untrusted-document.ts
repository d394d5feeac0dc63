// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import type { TrustError } from '../verdict/trust-error.ts';
import { decodeCanonicalBase64 } from './canonical-base64.ts';

/** Makes the error for what does not fit: `seen` says where and what. */
export type Complaint = (seen: string) => TrustError;

/**
 * A value of a JSON document that somebody unknown wrote, or a tool that says more than we read. Members are asked for by name and
 * type; null counts as absent, as in the JSON form of protocol buffers, which most of sigstore's documents have.
 */
export class UntrustedDocument {
  readonly value: JsonValue;
  readonly name: string;
  readonly #complain: Complaint;

  private constructor(value: JsonValue, name: string, complain: Complaint) {
    this.value = value;
    this.name = name;
    this.#complain = complain;
  }

  /** Parses UTF-8 and strict JSON. @param name of the whole, for messages */
  static parse(bytes: Buffer, name: string, complain: Complaint): UntrustedDocument {
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw complain(`${name} is not UTF-8`);
    }
    try {
      return new UntrustedDocument(parseStrictJsonValue(text, name), name, complain);
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
      throw complain(error.message);
    }
  }

  fail(reason: string): never {
    throw this.#complain(`${this.name} ${reason}`);
  }

  /** Asserts that it is an object with no members but these. */
  closed(keys: readonly string[]): this {
    if (!isJsonObject(this.value)) return this.fail('is not an object');
    for (const key of Object.keys(this.value))
      if (!keys.includes(key)) return this.fail(`has the unknown key ${quote(key)}`);
    return this;
  }

  optional(key: string): UntrustedDocument | undefined {
    if (!isJsonObject(this.value)) return this.fail('is not an object');
    const value = this.value[key];
    return value === undefined || value === null
      ? undefined
      : new UntrustedDocument(value, `${this.name}.${key}`, this.#complain);
  }

  member(key: string): UntrustedDocument {
    return this.optional(key) ?? this.fail(`has no ${key}`);
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.fail('is not a string');
  }

  /** Canonical base64 of at least one byte. */
  bytes(): Buffer {
    const bytes = decodeCanonicalBase64(this.text());
    return bytes === undefined || bytes.length === 0 ? this.fail('is not base64') : bytes;
  }

  /** A whole number from 0 on, written as such or, as protocol buffers have it, in a string. */
  whole(): number {
    const { value } = this;
    const number =
      typeof value === 'string' && /^(?:0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
      ? number
      : this.fail('is not a whole number');
  }

  /** The time of an RFC 3339 text. */
  time(): Date {
    const text = this.text();
    const time = new Date(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : NaN);
    return Number.isNaN(time.getTime()) ? this.fail('is not a time') : time;
  }

  list(most: number): readonly UntrustedDocument[] {
    const { value } = this;
    if (!Array.isArray(value)) return this.fail('is not a list');
    if (value.length > most) return this.fail(`has ${value.length} entries, more than ${most}`);
    return (value as readonly JsonValue[]).map(
      (each, n) => new UntrustedDocument(each, `${this.name}[${n}]`, this.#complain),
    );
  }
}
