// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

export type ImageErrorCode =
  /** The source cannot be read as an image: a layout or archive that lacks what it must have. */
  | 'INVALID_SOURCE'
  | 'SOURCE_NOT_FOUND'
  /** The archive or layout holds several images and none, or an unknown one, was chosen. */
  | 'AMBIGUOUS_SOURCE'
  | 'NO_MATCHING_PLATFORM'
  | 'DIGEST_MISMATCH'
  | 'INCONSISTENT_IMAGE'
  /** The trust policy refused the image. Exit status 5. */
  | 'REFUSED_BY_POLICY'
  | 'IMAGE_NOT_FOUND'
  | 'AMBIGUOUS_IMAGE';

/** Resolving, checking or pulling an image failed. */
export class ImageError extends SysctError<ImageErrorCode> {}
