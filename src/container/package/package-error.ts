// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

export type PackageErrorCode =
  /** manifest.json is no JSON, or a member of it has the wrong shape. */
  | 'INVALID_PACKAGE_MANIFEST'
  /** A file under /exports is of a kind, size or name that we do not take. */
  | 'INVALID_EXPORTS'
  /** The image wants a host file where none may go. */
  | 'FORBIDDEN_HOST_PATH';

/** What an image carries under /exports breaks the contract. */
export class PackageError extends SysctError<PackageErrorCode> {}
