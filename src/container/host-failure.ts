// SPDX-License-Identifier: Apache-2.0
import { isErrno, messageOf, SysctError } from '../base/sysct-error.ts';
import { ContainerError } from './container-error.ts';

/**
 * What a failed system call on the host's files means; any other error is returned as it is.
 * @param doing what was being done, on what.
 */
export function hostFailure(doing: string, error: unknown): unknown {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    const reason = error.code === 'EDQUOT' ? 'the quota is used up' : 'no space left';
    return new ContainerError('NO_SPACE', `${doing}: ${reason}`, {
      cause: error,
      hint: 'free some space there, and try again',
    });
  }
  if (isErrno(error, 'EROFS')) {
    return new ContainerError('HOST_WRITE_FAILED', `${doing}: the file system is read-only`, {
      cause: error,
      hint: 'remount it writable, or choose another path with --set if the image has it as a value',
    });
  }
  const isSystemCall = error instanceof Error && 'syscall' in error;
  if (!isSystemCall || error instanceof SysctError) return error;
  return new ContainerError('HOST_WRITE_FAILED', `${doing}: ${messageOf(error)}`, { cause: error });
}
