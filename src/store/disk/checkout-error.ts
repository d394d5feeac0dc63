// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

/**
 * - `TREE_NOT_REPRESENTABLE`: a tree holds something no EROFS image, or no directory, can hold.
 * - `MOUNT_FAILED`: the kernel or mount(8) refused a mount of a checkout.
 * - `NOT_EMPTY`: a plain tree was to be written into a directory that holds something.
 */
export type CheckoutErrorCode = 'TREE_NOT_REPRESENTABLE' | 'MOUNT_FAILED' | 'NOT_EMPTY';

export class CheckoutError extends SysctError<CheckoutErrorCode> {}
