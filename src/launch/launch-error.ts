// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type LaunchErrorCode =
  /** The image says nothing to run. */
  | 'NO_COMMAND'
  /** The image's User= is not in its /etc/passwd or /etc/group. */
  | 'USER_NOT_FOUND'
  /** The config asks for what this launcher or runtime cannot do; all of it is named. */
  | 'UNSUPPORTED_BY_LAUNCHER'
  /** The name cannot be the id of a container of the runtime. */
  | 'NAME_UNUSABLE'
  /** The unit that the image ships cannot be used. */
  | 'INVALID_SERVICE'
  /** Installing would close a circle in the start order. */
  | 'ORDER_CYCLE'
  /** The runtime is missing or does not run. */
  | 'RUNTIME_MISSING';

/** A container cannot be launched as its image or the user asks. */
export class LaunchError extends SysctError<LaunchErrorCode> {}
