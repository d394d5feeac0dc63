// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../base/printable.ts';
import { isJsonObject, type JsonValue, parseStrictJsonValue } from '../../base/strict-json.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory, writeFileDurably } from '../../sys/durable-file.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';
import { StoreError } from '../disk/store-error.ts';
import { parseRefRecord, printRefRecord, type RefRecord } from './ref-record.ts';

// A file of `removed/` is the record of a ref that was removed or replaced, so that what it stood for
// stays for others who still read it: {version, removedAt, ref}.

const VERSION = 1;

/** An image that no name stands for any more, and since when. */
export interface Tombstone {
  readonly removedAt: Date;
  readonly record: RefRecord;
}

const NAME = /^[0-9]+-[0-9a-f]{12}[.]json$/;

/**
 * Writes a tombstone, durably. The store's lock must be held, and the ref still be there: a power cut
 * may leave both.
 * @param directory `removed/` of the store; made when it is missing.
 */
export function writeTombstone(directory: string, { removedAt, record }: Tombstone): void {
  if (ensureDirectory(directory)) syncDirectory(join(directory, '..'));
  const ref = JSON.parse(printRefRecord(record)) as JsonValue;
  const text = `${JSON.stringify({ version: VERSION, removedAt: removedAt.toISOString(), ref })}\n`;
  const name = `${removedAt.getTime()}-${randomBytes(6).toString('hex')}.json`;
  writeFileDurably(join(directory, name), text, 0o600);
}

/** The files of all tombstones, oldest first. */
export function listTombstones(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => NAME.test(name));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** @throws StoreError STORE_DAMAGED, FORMAT_TOO_NEW */
export function parseTombstone(text: string, path: string): Tombstone {
  const what = `tombstone ${quote(path)}`;
  const value = parsed(text, what);
  const version = isJsonObject(value) ? value['version'] : undefined;
  if (typeof version === 'number' && version > VERSION) {
    throw new StoreError('FORMAT_TOO_NEW', `reading ${what}: it has version ${version}`, {
      hint: 'update sysct',
    });
  }
  if (!isJsonObject(value) || version !== VERSION) throw damaged(what, 'it has no version');
  const removedAt = new Date(typeof value['removedAt'] === 'string' ? value['removedAt'] : '');
  if (Number.isNaN(removedAt.getTime())) throw damaged(what, 'it does not say since when');
  return { removedAt, record: parseRefRecord(JSON.stringify(value['ref']), what) };
}

/** Removes tombstones, durably. The store's lock must be held. */
export function removeTombstones(directory: string, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      unlinkSync(path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  if (paths.length > 0) syncDirectory(directory);
}

function parsed(text: string, what: string): JsonValue {
  try {
    return parseStrictJsonValue(text, what);
  } catch {
    throw damaged(what, 'it is not JSON');
  }
}

function damaged(what: string, reason: string): StoreError {
  return new StoreError('STORE_DAMAGED', `reading ${what}: ${reason}`, {
    hint: 'remove the file if nobody reads that image any more',
  });
}
