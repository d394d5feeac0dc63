// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../base/sysct-error.ts';

export type InvalidDocumentCode =
  | 'INVALID_MANIFEST'
  | 'INVALID_INDEX'
  | 'INVALID_IMAGE_CONFIG'
  | 'INVALID_DESCRIPTOR'
  | 'INVALID_REFERENCE'
  | 'INVALID_PLATFORM'
  | 'INVALID_RUNTIME_CONFIG'
  | 'NO_MATCHING_PLATFORM';

/** An OCI document, or a name of one, that breaks its specification or our limits. */
export class InvalidDocumentError extends SysctError<InvalidDocumentCode> {}
