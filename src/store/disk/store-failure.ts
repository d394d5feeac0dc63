// SPDX-License-Identifier: Apache-2.0
import { isErrno, messageOf, SysctError } from '../../base/sysct-error.ts';
import { StoreError } from './store-error.ts';

/**
 * What a failed system call on the store means; any other error is returned as it is.
 * @param doing what was being done, on what.
 */
export function storeFailure(doing: string, error: unknown): unknown {
  if (error instanceof SysctError && error.name !== 'ProcessError') return error;
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new StoreError('NO_SPACE', `${doing}: ${noSpaceReason(error)}`, {
      cause: error,
      hint: 'free some space there, or move the store to a larger file system',
    });
  }
  if (isErrno(error, 'EROFS')) {
    return new StoreError('STORE_READ_ONLY', `${doing}: the file system is read-only`, {
      cause: error,
      hint: 'remount it writable',
    });
  }
  if (isErrno(error, 'EACCES', 'EPERM')) {
    return new StoreError('STORE_NOT_PERMITTED', `${doing}: ${messageOf(error)}`, {
      cause: error,
      hint: 'run sysct as root',
    });
  }
  if (isErrno(error, 'EIO', 'EUCLEAN') || sayInputOutputError(error)) {
    return new StoreError('STORE_DAMAGED', `${doing}: ${messageOf(error)}`, {
      cause: error,
      hint: 'the disk or its file system fails: see "dmesg"',
    });
  }
  const isSystemCall = error instanceof Error && 'syscall' in error;
  if (!isSystemCall && !(error instanceof SysctError)) return error;
  return new StoreError('STORE_IO_FAILED', `${doing}: ${messageOf(error)}`, { cause: error });
}

function noSpaceReason(error: NodeJS.ErrnoException): string {
  return error.code === 'EDQUOT' ? 'the quota is used up' : 'no space left';
}

// sync(1) tells the error of syncfs(2) in words only.
function sayInputOutputError(error: unknown): boolean {
  return error instanceof SysctError && error.message.includes('Input/output error');
}
