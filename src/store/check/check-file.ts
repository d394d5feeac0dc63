// SPDX-License-Identifier: Apache-2.0
import { createHash, hash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { Problem } from './finding.ts';
import type { StatRecord } from './stat-record.ts';

/** What one file was found to be; `undefined` problem for one that is whole. */
export interface FileState {
  /** Bytes that were read to tell. */
  readonly readBytes: number;
  readonly problem?: Problem;
  /** As in a finding. */
  readonly seen?: string;
}

/** What every file of the store should be like. */
export interface Ownership {
  /** Who owns the store. */
  readonly uid: number;
  /** Its admin lets others read it. */
  readonly isOpen: boolean;
}

export interface FileExpectation extends Ownership {
  /** Of a store that is for its owner alone. */
  readonly mode: number;
  /** Gives what it knows the benefit of the doubt; undefined where all is to be read. */
  readonly known: StatRecord | undefined;
  /** Is told what was found whole. */
  readonly record: StatRecord;
}

/** What others may be given: to read, and to execute. */
const OPEN_BITS = 0o555;
const SCRATCH = Buffer.allocUnsafe(1024 * 1024);
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Checks a file whose name is the digest of its bytes: an object or a blob. One that is gone since it
 * was listed has no fault.
 */
export function checkNamedFile(path: string, digest: Digest, expected: FileExpectation): FileState {
  try {
    const first = lookAt(path, digest, expected);
    // Another process may have repaired it while it was read.
    return first.problem === 'damaged' ? lookAt(path, digest, expected) : first;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { readBytes: 0 };
    return { readBytes: 0, ...brokenFile(error) };
  }
}

/** What a failed read of a file of the store says about it. @throws what says nothing about the file. */
export function brokenFile(error: unknown): { readonly problem: 'damaged'; readonly seen: string } {
  if (isErrno(error, 'ELOOP')) return { problem: 'damaged', seen: 'is a symbolic link' };
  if (isErrno(error, 'ENXIO', 'EISDIR')) return { problem: 'damaged', seen: 'is no file' };
  if (!isErrno(error, 'EIO', 'EUCLEAN', 'EBADMSG', 'ENODATA')) throw error;
  return { problem: 'damaged', seen: `cannot be read: ${messageOf(error)}` };
}

/** Mode and owner of a file of the store, where they are not what they should be. */
export function wrongMode(
  stats: BigIntStats,
  { mode, uid, isOpen }: Ownership & Pick<FileExpectation, 'mode'>,
): string | undefined {
  const seen = Number(stats.mode) & 0o7777;
  const isRight = isOpen ? (seen & ~OPEN_BITS) === (mode & ~OPEN_BITS) : seen === mode;
  if (isRight && Number(stats.uid) === uid) return undefined;
  return `has mode ${seen.toString(8).padStart(4, '0')} and owner ${stats.uid}, not ${mode.toString(8).padStart(4, '0')} and ${uid}`;
}

function lookAt(path: string, digest: Digest, expected: FileExpectation): FileState {
  const fd = openSync(path, OPEN);
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return { readBytes: 0, problem: 'damaged', seen: 'is no file' };
    const sizeBytes = Number(stats.size);
    const isKnown = expected.known?.knows(digest, stats) === true;
    if (!isKnown) {
      const seen = digestOf(fd, sizeBytes);
      if (seen !== digest) {
        const what = sizeBytes === 0 ? 'is empty' : `has the bytes of ${seen}`;
        return { readBytes: sizeBytes, problem: 'damaged', seen: what };
      }
    }
    const wrong = wrongMode(stats, expected);
    const readBytes = isKnown ? 0 : sizeBytes;
    if (wrong !== undefined) return { readBytes, problem: 'mode', seen: wrong };
    expected.record.note(digest, stats);
    return { readBytes };
  } finally {
    closeSync(fd);
  }
}

function digestOf(fd: number, sizeBytes: number): Digest {
  // The one-shot form costs half of what a Hash object does on small files.
  if (sizeBytes < SCRATCH.length) {
    const have = fill(fd);
    if (have < SCRATCH.length) {
      return digestFromHex(hash('sha256', SCRATCH.subarray(0, have), 'hex'));
    }
    const running = createHash('sha256').update(SCRATCH);
    return finish(running, fd);
  }
  return finish(createHash('sha256'), fd);
}

function finish(running: ReturnType<typeof createHash>, fd: number): Digest {
  for (let have = fill(fd); have > 0; have = fill(fd)) running.update(SCRATCH.subarray(0, have));
  return digestFromHex(running.digest('hex'));
}

/** Reads on until the scratch is full or the file ends. */
function fill(fd: number): number {
  let have = 0;
  while (have < SCRATCH.length) {
    const got = readSync(fd, SCRATCH, have, SCRATCH.length - have, null);
    if (got === 0) break;
    have += got;
  }
  return have;
}
