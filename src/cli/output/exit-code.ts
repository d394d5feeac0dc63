// SPDX-License-Identifier: Apache-2.0
import { diskTroubleOf } from '../../base/disk-trouble.ts';
import { firstFailure, SysctError } from '../../base/sysct-error.ts';

/** Exit statuses, as sysct(1) lists them. `run` and `exec` also use 125, 126, 127 and the payload's own. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  notFound: 4,
  refused: 5,
  network: 6,
  /** No space, no quota, or a read-only file system: nothing is wrong with what is there. */
  notWritable: 7,
  damaged: 8,
  rolledBack: 9,
  changesPending: 10,
} as const;

/** The only place where an error code becomes an exit status; codes not listed are 1. */
const EXIT_BY_CODE: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  INVALID_REFERENCE: EXIT.usage,
  INVALID_PLATFORM: EXIT.usage,
  SHORT_NAME: EXIT.usage,
  CONFIG: EXIT.usage,
  CONTAINER_NOT_RUNNING: EXIT.notRunning,
  CONTAINER_NOT_FOUND: EXIT.notFound,
  NOT_FOUND: EXIT.notFound,
  IMAGE_NOT_FOUND: EXIT.notFound,
  AMBIGUOUS_IMAGE: EXIT.notFound,
  SOURCE_NOT_FOUND: EXIT.notFound,
  NO_MATCHING_PLATFORM: EXIT.notFound,
  REFUSED_BY_POLICY: EXIT.refused,
  NO_SUCH_SCOPE: EXIT.failed,
  SCOPE_ELSEWHERE: EXIT.failed,
  CHANGED_MEANWHILE: EXIT.failed,
  NO_SPACE: EXIT.notWritable,
  STORE_READ_ONLY: EXIT.notWritable,
  HOST_READ_ONLY: EXIT.notWritable,
  STORE_DAMAGED: EXIT.damaged,
  HOST_DISK_FAILED: EXIT.damaged,
  START_FAILED: EXIT.rolledBack,
};

/** Error classes whose every code has one status, unless the table above says otherwise. */
const EXIT_BY_CLASS: Readonly<Record<string, number>> = {
  TrustError: EXIT.refused,
  RegistryError: EXIT.network,
};

export function exitCodeOf(thrown: unknown): number {
  const error = firstFailure(thrown);
  if (error instanceof SysctError) {
    return EXIT_BY_CODE[error.code] ?? EXIT_BY_CLASS[error.name] ?? EXIT.failed;
  }
  const trouble = diskTroubleOf(error);
  if (trouble === undefined) return EXIT.failed;
  return trouble === 'failing' ? EXIT.damaged : EXIT.notWritable;
}
