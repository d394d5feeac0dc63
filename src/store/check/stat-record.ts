// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, digestHex } from '../../base/digest.ts';
import { diskTroubleOf } from '../../base/disk-trouble.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { DIGEST_BYTES } from '../disk/byte-writer.ts';
import { ensureDirectory } from '../disk/ensure-directory.ts';

// The form of `checked/NAME`; numbers little-endian.
//
//     header   8 bytes "sysctchk" · uint32 version · uint32 count
//     entries  16 bytes of the digest that names the file · 8 bytes of the sha256 of its stat tuple
//     sum      sha256 of all before it
//
// It is a memory, not evidence: one that is missing, damaged or of another version counts as empty.

const MAGIC = 'sysctchk';
const VERSION = 1;
const HEADER_BYTES = 16;
const KEY_BYTES = 16;
const TUPLE_BYTES = 8;
const ENTRY_BYTES = KEY_BYTES + TUPLE_BYTES;

/**
 * What the last check saw of the files of one directory: enough to tell that none of inode, size,
 * owner, mode, mtime and ctime changed since. Nothing but the kernel sets a ctime.
 */
export class StatRecord {
  readonly #path: string;
  readonly #before: ReadonlyMap<string, string>;
  readonly #now = new Map<string, string>();

  private constructor(path: string, before: ReadonlyMap<string, string>) {
    this.#path = path;
    this.#before = before;
  }

  /** @param directory `checked/` of the store. */
  static read(directory: string, name: string): StatRecord {
    const path = join(directory, name);
    return new StatRecord(path, readEntries(path));
  }

  /** One that knows nothing, for checks of a part of a store: those are not remembered. */
  static ofNothing(): StatRecord {
    return new StatRecord('', new Map());
  }

  /** True when the last check found this file whole, and nothing about it has changed. */
  knows(digest: Digest, stats: BigIntStats): boolean {
    return this.#before.get(keyOf(digest)) === tupleOf(stats);
  }

  /** Says that the file was found whole, with the stats from before it was read. */
  note(digest: Digest, stats: BigIntStats): void {
    this.#now.set(keyOf(digest), tupleOf(stats));
  }

  /** Replaces the record by what was noted. Where the store cannot be written, nothing is kept. */
  write(): void {
    const temporary = `${this.#path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      ensureDirectory(join(this.#path, '..'));
      writeFileSync(temporary, encode(this.#now), { flag: 'wx', mode: 0o600 });
      // Not synced: what a power cut leaves of it has a wrong sum, and counts as empty.
      renameSync(temporary, this.#path);
    } catch (error) {
      const trouble = diskTroubleOf(error);
      if (trouble === 'full' || trouble === 'quota') rmSync(temporary, { force: true });
      else if (trouble !== 'read-only' && !isErrno(error, 'EACCES', 'EPERM')) throw error;
    }
  }
}

function keyOf(digest: Digest): string {
  return digestHex(digest).slice(0, 2 * KEY_BYTES);
}

function tupleOf({ ino, size, mode, uid, gid, mtimeNs, ctimeNs }: BigIntStats): string {
  const text = [ino, size, mode, uid, gid, mtimeNs, ctimeNs].join(' ');
  return createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 2 * TUPLE_BYTES);
}

function encode(entries: ReadonlyMap<string, string>): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + entries.size * ENTRY_BYTES + DIGEST_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(VERSION, MAGIC.length);
  bytes.writeUInt32LE(entries.size, MAGIC.length + 4);
  let at = HEADER_BYTES;
  for (const [key, tuple] of entries) at += bytes.write(key + tuple, at, 'hex');
  createHash('sha256').update(bytes.subarray(0, at)).digest().copy(bytes, at);
  return bytes;
}

function readEntries(path: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  const bytes = readIfThere(path);
  if (bytes === undefined || !isSound(bytes)) return entries;
  const end = bytes.length - DIGEST_BYTES;
  for (let at = HEADER_BYTES; at < end; at += ENTRY_BYTES) {
    const key = bytes.toString('hex', at, at + KEY_BYTES);
    entries.set(key, bytes.toString('hex', at + KEY_BYTES, at + ENTRY_BYTES));
  }
  return entries;
}

function isSound(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES + DIGEST_BYTES) return false;
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return false;
  if (bytes.readUInt32LE(MAGIC.length) !== VERSION) return false;
  const end = bytes.length - DIGEST_BYTES;
  if (end !== HEADER_BYTES + bytes.readUInt32LE(MAGIC.length + 4) * ENTRY_BYTES) return false;
  return createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end));
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EIO', 'EISDIR')) return undefined;
    throw error;
  }
}
