// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type UnitErrorCode =
  /** The text is no unit file: systemd would ignore part of it. */
  | 'INVALID_UNIT_FILE'
  /** A text that cannot be written into a unit file or a unit's name. */
  | 'UNIT_VALUE'
  /** A text that is no unit name, or was not escaped as one. */
  | 'UNIT_NAME';

/** Text that is, or is to become, part of a unit. */
export class UnitError extends SysctError<UnitErrorCode> {}
