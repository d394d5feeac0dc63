// SPDX-License-Identifier: Apache-2.0
import { diskTroubleOf, TROUBLE_WORDS } from '../../base/disk-trouble.ts';
import { firstFailure, messageOf, SysctError } from '../../base/sysct-error.ts';
import { ContainerError } from '../record/container-error.ts';

/**
 * What a failed system call on the host's files means; any other error is returned as it is.
 * @param doing what was being done, on what.
 */
export function hostFailure(doing: string, thrown: unknown): unknown {
  const error = firstFailure(thrown);
  if (error instanceof SysctError && error.name !== 'ProcessError') return error;
  const trouble = diskTroubleOf(error);
  if (trouble === 'full' || trouble === 'quota') {
    return new ContainerError('NO_SPACE', `${doing}: ${TROUBLE_WORDS[trouble]}`, {
      cause: error,
      hint: 'free some space there, and try again',
    });
  }
  if (trouble === 'read-only') {
    return new ContainerError('HOST_READ_ONLY', `${doing}: ${TROUBLE_WORDS[trouble]}`, {
      cause: error,
      hint: 'remount it writable, or choose another path with --set if the image has it as a value',
    });
  }
  if (trouble === 'failing') {
    return new ContainerError('HOST_DISK_FAILED', `${doing}: ${messageOf(error)}`, {
      cause: error,
      hint: 'the disk or its file system fails: see "dmesg"',
    });
  }
  const isSystemCall = error instanceof Error && 'syscall' in error;
  if (!isSystemCall || error instanceof SysctError) return error;
  return new ContainerError('HOST_WRITE_FAILED', `${doing}: ${messageOf(error)}`, { cause: error });
}
