// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type MembersErrorCode =
  'MEMBER_MISSING' | 'MEMBER_TOO_LARGE' | 'MEMBER_TRUNCATED' | 'ARCHIVE_UNREADABLE';

/** A layout or archive that an image lies in cannot be read as one. */
export class MembersError extends SysctError<MembersErrorCode> {}
