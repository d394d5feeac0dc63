// SPDX-License-Identifier: Apache-2.0
import { type Dirent, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { quote } from '../../base/printable.ts';
import { isErrno, SysctError } from '../../base/sysct-error.ts';
import { syncDirectory, writeFileDurably } from '../../sys/durable-file.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';
import { directoryModeIn, isOpenToOthers } from '../disk/open-to-others.ts';
import { readStored, RECORD_MAX_BYTES } from '../disk/read-stored.ts';
import { StoreError } from '../disk/store-error.ts';
import { parseRefRecord, printRefRecord, type RefRecord } from './ref-record.ts';
import { isRefFileName, refPath } from './ref-path.ts';

/** One file below `refs/`. */
export type RefFile =
  | { readonly kind: 'record'; readonly path: string; readonly record: RefRecord }
  /** It should be a record and is none; the error says why. */
  | { readonly kind: 'broken'; readonly path: string; readonly error: unknown }
  /** Its name is not that of a record. */
  | { readonly kind: 'stranger'; readonly path: string };

/** Every file below `directory`, by path, for a check; those that are removed meanwhile are passed over. */
export function readRefFiles(directory: string): RefFile[] {
  return filesBelow(directory).flatMap((path): RefFile[] => {
    if (!isRefFileName(basename(path))) return [{ kind: 'stranger', path }];
    try {
      const record = readRef(path);
      if (record === undefined) return [];
      assertOwnName(directory, path, record);
      return [{ kind: 'record', path, record }];
    } catch (error) {
      return [{ kind: 'broken', path, error }];
    }
  });
}

/**
 * Puts `record` in its place, durably: staged, synced, renamed. The store's lock must be held.
 * @param staging a directory on the same file system.
 */
export function writeRef(directory: string, record: RefRecord, staging: string): void {
  const path = join(directory, refPath(record.reference, record.manifestDigest));
  const staged = join(staging, 'ref.json');
  writeFileDurably(staged, printRefRecord(record), isOpenToOthers(directory) ? 0o644 : 0o600);
  makeDirectoriesDurably(directory, dirname(path));
  renameSync(staged, path);
  syncDirectory(dirname(path));
}

/**
 * What the name of `record` stands for now; undefined when it was removed, and when it is damaged: a new record
 * in its place heals it.
 * @throws StoreError FORMAT_TOO_NEW; what open(2) throws
 */
export function readRefLike(
  directory: string,
  record: Pick<RefRecord, 'reference' | 'manifestDigest'>,
): RefRecord | undefined {
  try {
    return readRef(join(directory, refPath(record.reference, record.manifestDigest)));
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}

/** Removes a record and the directories that it leaves empty. The store's lock must be held. */
export function removeRef(directory: string, record: RefRecord): boolean {
  const path = join(directory, refPath(record.reference, record.manifestDigest));
  try {
    unlinkSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
  let parent = dirname(path);
  while (parent !== directory && isRemoved(parent)) parent = dirname(parent);
  syncDirectory(parent);
  return true;
}

/** Undefined for one that was removed since it was listed. */
function readRef(path: string): RefRecord | undefined {
  try {
    return parseRefRecord(
      readStored(path, RECORD_MAX_BYTES).toString('utf8'),
      `ref ${quote(path)}`,
    );
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

// A record that was put under another name would answer for one that it was not admitted under.
function assertOwnName(directory: string, path: string, record: RefRecord): void {
  if (path === ownPath(directory, record)) return;
  throw new StoreError('STORE_DAMAGED', `reading ref ${quote(path)}: it is of another name`, {
    hint: 'pull the image again',
  });
}

function ownPath(directory: string, { reference, manifestDigest }: RefRecord): string | undefined {
  try {
    return join(directory, refPath(reference, manifestDigest));
  } catch (error) {
    if (error instanceof SysctError) return undefined;
    throw error;
  }
}

/** The files of all records below `directory`, by path. */
export function listRefFiles(directory: string): string[] {
  return filesBelow(directory).filter((path) => isRefFileName(basename(path)));
}

function filesBelow(directory: string): string[] {
  const files: string[] = [];
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...filesBelow(path));
    else files.push(path);
  }
  return files.sort();
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function makeDirectoriesDurably(top: string, directory: string): void {
  if (directory === top) return;
  makeDirectoriesDurably(top, dirname(directory));
  ensureDirectory(directory, directoryModeIn(top));
  // Also where it was there: whoever made it may have died before syncing.
  syncDirectory(dirname(directory));
}

function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}
