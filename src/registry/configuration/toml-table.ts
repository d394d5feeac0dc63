// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { RegistryError } from '../http/registry-error.ts';

/** A TOML table read key by key, each with the type it must have; absent keys are undefined. */
export class TomlTable {
  /** Names the table in messages. */
  readonly what: string;
  readonly #table: Readonly<Record<string, unknown>>;

  constructor(table: Readonly<Record<string, unknown>>, what: string) {
    this.#table = table;
    this.what = what;
  }

  keys(): readonly string[] {
    return Object.keys(this.#table);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  string(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrong(key, 'a string');
  }

  boolean(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#wrong(key, 'true or false');
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw this.#wrong(key, 'a list of strings');
  }

  table(key: string): TomlTable | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (isTable(value)) return new TomlTable(value, this.what);
    throw this.#wrong(key, 'a table');
  }

  /** An array of tables; absent reads as empty. */
  tables(key: string): readonly TomlTable[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(isTable)) {
      return value.map((table) => new TomlTable(table, this.what));
    }
    throw this.#wrong(key, `a list of tables, written [[${key}]]`);
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
  }

  #wrong(key: string, expected: string): RegistryError {
    return new RegistryError('CONFIG', `${this.what}: ${quote(key)} is not ${expected}`);
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
