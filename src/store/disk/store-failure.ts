// SPDX-License-Identifier: Apache-2.0
import { diskTroubleOf, TROUBLE_WORDS } from '../../base/disk-trouble.ts';
import { firstFailure, isErrno, messageOf, SysctError } from '../../base/sysct-error.ts';
import { StoreError } from './store-error.ts';

/**
 * What a failed system call on the store means; any other error is returned as it is.
 * @param doing what was being done, on what.
 */
export function storeFailure(doing: string, thrown: unknown): unknown {
  const error = firstFailure(thrown);
  if (error instanceof SysctError && error.name !== 'ProcessError') return error;
  const trouble = diskTroubleOf(error);
  if (trouble === 'full' || trouble === 'quota') {
    return new StoreError('NO_SPACE', `${doing}: ${TROUBLE_WORDS[trouble]}`, {
      cause: error,
      hint: 'free some space there, or move the store to a larger file system',
    });
  }
  if (trouble === 'read-only') {
    return new StoreError('STORE_READ_ONLY', `${doing}: ${TROUBLE_WORDS[trouble]}`, {
      cause: error,
      hint: 'remount it writable',
    });
  }
  if (isErrno(error, 'EACCES', 'EPERM')) return notPermitted(doing, error);
  if (trouble === 'failing') {
    return new StoreError('STORE_DAMAGED', `${doing}: ${messageOf(error)}`, {
      cause: error,
      hint: 'the disk or its file system fails: see "dmesg"',
    });
  }
  const isSystemCall = error instanceof Error && 'syscall' in error;
  if (!isSystemCall && !(error instanceof SysctError)) return error;
  return new StoreError('STORE_IO_FAILED', `${doing}: ${messageOf(error)}`, { cause: error });
}

function notPermitted(doing: string, cause: NodeJS.ErrnoException): StoreError {
  const isRoot = process.getuid?.() === 0;
  return new StoreError(
    'STORE_NOT_PERMITTED',
    `${doing}: ${isRoot ? messageOf(cause) : 'only root can do that'}`,
    {
      cause,
      hint: isRoot ? 'see "lsattr" and what guards the file system' : 'run it with sudo',
    },
  );
}
