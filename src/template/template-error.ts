// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type TemplateErrorCode =
  /** A `$` that starts neither a variable nor `$$`. */
  | 'INVALID_TEMPLATE'
  /** Variables without a value; the message names all of them. */
  | 'UNREPLACED_VALUE'
  /** A value that would break out of the place where it lands. */
  | 'UNSAFE_VALUE';

/** A template of an image cannot be read or filled in. */
export class TemplateError extends SysctError<TemplateErrorCode> {}
