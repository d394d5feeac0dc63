// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

export type ContainerErrorCode =
  | 'ALREADY_INSTALLED'
  | 'CONTAINER_NOT_FOUND'
  | 'CONTAINER_NOT_RUNNING'
  /** A record of the container cannot be read; the container is listed as broken. */
  | 'CONTAINER_BROKEN'
  /** A path that would be written belongs to another container, a package, or the admin. */
  | 'HOST_FILE_CONFLICT'
  | 'UNIT_EXISTS'
  | 'INVALID_UNIT'
  | 'RUNTIME_MISSING'
  | 'REQUIRED_BY_OTHERS'
  /** The service did not start, and the host was put back as it was. Exit status 9. */
  | 'START_FAILED'
  /** The file system of a host file is full. Exit status 7. */
  | 'NO_SPACE'
  /** The file system of a host file is read-only. Exit status 7. */
  | 'HOST_READ_ONLY'
  /** The disk of a host file fails. Exit status 8. */
  | 'HOST_DISK_FAILED'
  | 'HOST_WRITE_FAILED'
  | 'NO_COMMAND'
  | 'UNSUPPORTED';

/** Planning, switching, or asking about an installed container failed. */
export class ContainerError extends SysctError<ContainerErrorCode> {}
