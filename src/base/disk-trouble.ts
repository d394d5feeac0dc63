// SPDX-License-Identifier: Apache-2.0
import { isErrno } from './sysct-error.ts';

/** What keeps a file system from doing what it is asked. */
export type DiskTrouble = 'full' | 'quota' | 'read-only' | 'failing';

const BY_CODE: readonly (readonly [DiskTrouble, ...codes: string[]])[] = [
  ['full', 'ENOSPC'],
  ['quota', 'EDQUOT'],
  ['read-only', 'EROFS'],
  ['failing', 'EIO', 'EUCLEAN', 'ESHUTDOWN'],
];

/** As strerror(3) says it: programs, and Node's rmSync, tell their errors in words only. */
const BY_WORDS: readonly (readonly [DiskTrouble, words: string])[] = [
  ['full', 'No space left on device'],
  ['quota', 'Disk quota exceeded'],
  ['read-only', 'Read-only file system'],
  ['failing', 'Input/output error'],
  ['failing', 'Structure needs cleaning'],
];

/** The trouble that a failed system call or program tells of; undefined where it is something else. */
export function diskTroubleOf(error: unknown): DiskTrouble | undefined {
  const byCode = BY_CODE.find(([, ...codes]) => isErrno(error, ...codes));
  if (byCode !== undefined) return byCode[0];
  if (!(error instanceof Error)) return undefined;
  return BY_WORDS.find(([, words]) => error.message.includes(words))?.[0];
}

/** For people, at the end of a line that says what was being done. */
export const TROUBLE_WORDS: Readonly<Record<Exclude<DiskTrouble, 'failing'>, string>> = {
  full: 'no space left',
  quota: 'the quota is used up',
  'read-only': 'the file system is read-only',
};
