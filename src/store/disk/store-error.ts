// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

export type StoreErrorCode =
  /** The file system is full, or a quota is. Exit status 7. */
  | 'NO_SPACE'
  /** Bytes in the store are not what their name or checksum says, or the disk fails. Exit status 8. */
  | 'STORE_DAMAGED'
  /** The file system is read-only. Exit status 7. */
  | 'STORE_READ_ONLY'
  | 'STORE_NOT_PERMITTED'
  /** The directory is something else. */
  | 'NOT_A_STORE'
  /** A newer sysct wrote the store. */
  | 'FORMAT_TOO_NEW'
  /** Nothing of that name or digest is in the store. */
  | 'NOT_IN_STORE'
  | 'IMAGE_NOT_FOUND'
  | 'AMBIGUOUS_IMAGE'
  /** A blob is shorter or longer than its descriptor says. */
  | 'BLOB_SIZE_MISMATCH'
  | 'BLOB_DIGEST_MISMATCH'
  /** What a layer blob inflates to is not what the image config names. */
  | 'DIFF_ID_MISMATCH'
  /** The settings require fs-verity, and it cannot be had. */
  | 'VERITY_UNAVAILABLE'
  /** Something that an import counted on was collected before its commit. */
  | 'OBJECT_VANISHED'
  /** What a container, a lease or a running mount needs cannot be told, so nothing may be removed. */
  | 'ROOT_UNREADABLE'
  /** A container uses the image that is to be removed. */
  | 'IMAGE_IN_USE'
  /** The image that is to be removed by its ID has several names. */
  | 'IMAGE_HAS_NAMES'
  /** Reading or writing failed in a way that no other code names. */
  | 'STORE_IO_FAILED';

/** Reading or writing the store failed. */
export class StoreError extends SysctError<StoreErrorCode> {}
