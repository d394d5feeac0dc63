// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import { readStored, RECORD_MAX_BYTES } from '../disk/read-stored.ts';

/** A record and what tells this writing of it from every other. */
export interface CachedRecord<T> {
  readonly key: string;
  readonly record: T;
}

/** Records by path, parsed again only when their file is another one: all of them are replaced by rename. */
export class RecordCache<T> {
  readonly #parse: (text: string, path: string) => T;
  readonly #records = new Map<string, CachedRecord<T>>();

  constructor(parse: (text: string, path: string) => T) {
    this.#parse = parse;
  }

  /** Undefined when there is no such file. Throws what parsing does. */
  read(path: string): CachedRecord<T> | undefined {
    try {
      const { ino, ctimeNs, size } = statSync(path, { bigint: true });
      const key = `${path} ${ino} ${ctimeNs} ${size}`;
      const known = this.#records.get(path);
      if (known?.key === key) return known;
      const text = readStored(path, RECORD_MAX_BYTES).toString('utf8');
      const read = { key, record: this.#parse(text, path) };
      this.#records.set(path, read);
      return read;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }
}
