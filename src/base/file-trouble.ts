// SPDX-License-Identifier: Apache-2.0
import { isErrno, messageOf } from './sysct-error.ts';

/** Why a file that the user named cannot be read, in words that follow its name: `there is no such file`. */
export function fileTrouble(error: unknown): string {
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'there is no such file';
  if (isErrno(error, 'EISDIR')) return 'it is a directory';
  if (isErrno(error, 'EACCES')) return 'it may not be read';
  return messageOf(error);
}
