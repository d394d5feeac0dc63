// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { isJsonObject, type JsonValue, parseStrictJsonValue } from '../../base/strict-json.ts';
import { isErrno } from '../../base/sysct-error.ts';
import type { StoreLayout } from './layout.ts';
import { StoreError } from './store-error.ts';
import { namesIn } from './names-in.ts';
import { readStored, RECORD_MAX_BYTES } from './read-stored.ts';

const VERSION = 1;

/** What of a directory without `format.json` may be a store in the making, or a fresh file system. */
const KNOWN_NAMES: ReadonlySet<string> = new Set([
  'blobs',
  'checked',
  'containers',
  'downloads',
  'images',
  'layers',
  'lock',
  'log',
  'lost+found',
  'objects',
  'quarantine',
  'refs',
  'removed',
  'trees',
  'trust',
  'txn',
]);

/** True for what lies in the directory of a store. */
export function isKnownName(name: string): boolean {
  return name === 'format.json' || KNOWN_NAMES.has(name);
}

/** The text of `format.json`. `features` is for changes that older versions must refuse one by one. */
export function printFormat(): string {
  return `${JSON.stringify({ version: VERSION, features: [] })}\n`;
}

/** @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED */
export function assertFormat(text: string, what: string): void {
  const value = parsed(text, what);
  const version = isJsonObject(value) ? value['version'] : undefined;
  const features = isJsonObject(value) ? value['features'] : undefined;
  if (typeof version !== 'number' || !Array.isArray(features)) {
    throw damaged(`${what} has no version and features`);
  }
  const unknown: unknown = features[0];
  if (version <= VERSION && unknown === undefined) return;
  const seen =
    version > VERSION
      ? `version ${version}, this sysct knows ${VERSION}`
      : `the unknown feature ${quote(String(unknown))}`;
  throw new StoreError('FORMAT_TOO_NEW', `${what} says ${seen}`, { hint: 'update sysct' });
}

/**
 * What is at the place of the store.
 * @throws StoreError FORMAT_TOO_NEW, STORE_DAMAGED; NOT_A_STORE when something else is there.
 */
export function probeFormat(layout: StoreLayout): 'store' | 'empty' {
  const what = `store format ${quote(layout.format)}`;
  const text = readIfThere(layout.format);
  if (text !== undefined) {
    assertFormat(text, what);
    return 'store';
  }
  const stranger = namesIn(layout.directory).find((name) => !KNOWN_NAMES.has(name));
  if (stranger === undefined) return 'empty';
  throw new StoreError(
    'NOT_A_STORE',
    `opening store ${quote(layout.directory)}: it has no format.json, but ${quote(stranger)}`,
    { hint: 'choose an empty directory for the store' },
  );
}

function parsed(text: string, what: string): JsonValue {
  try {
    return parseStrictJsonValue(text, what);
  } catch (cause) {
    throw damaged(`${what} is not JSON`, cause);
  }
}

function damaged(message: string, cause?: unknown): StoreError {
  return new StoreError('STORE_DAMAGED', message, {
    cause,
    hint: 'remove the file, unless a newer sysct wrote here: the next pull writes it anew',
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readStored(path, RECORD_MAX_BYTES).toString('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
