// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type SystemdErrorCode =
  /** No way to talk to a running systemd. */
  | 'NO_BUS'
  /** The connection broke, or an answer made no sense. */
  | 'BUS_FAILED'
  /** systemd did not answer a call in time. */
  | 'CALL_TIMEOUT'
  /** A job ended, but not with `done`. */
  | 'JOB_FAILED'
  /** A job did not end in time; it is still queued or running. */
  | 'JOB_TIMEOUT'
  | 'UNIT_NOT_FOUND'
  | 'UNIT_MASKED'
  /** systemd read the unit and cannot use it. */
  | 'UNIT_INVALID'
  /** The enablement links that a unit asks for are somebody else's. */
  | 'ENABLE_CONFLICT'
  /** systemd refuses: not root, or the unit refuses manual starts or stops. */
  | 'REFUSED'
  | 'VERIFY_FAILED'
  | 'TMPFILES_FAILED';

/** Asking systemd or one of its tools for something failed. */
export class SystemdError extends SysctError<SystemdErrorCode> {}
