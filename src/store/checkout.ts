// SPDX-License-Identifier: Apache-2.0
import type { MountDescription } from '../sys/mount.ts';
import type { CheckoutSupport, OverlayForm } from './checkout-probe.ts';

/** How a tree becomes a directory, and why so. */
export type CheckoutPlan =
  | {
      readonly method: 'erofs-overlay';
      readonly form: OverlayForm;
      /** One line for `inspect`. */
      readonly reason: string;
      /** In the order to mount them: the image at META, then the overlay at ROOTFS. */
      readonly mounts: readonly [meta: MountDescription, rootfs: MountDescription];
    }
  | {
      readonly method: 'plain-tree';
      readonly reason: string;
      /** The written tree itself: nothing to mount. */
      readonly directory: string;
    };

export interface CheckoutPlaces {
  /** The EROFS image of the tree. */
  readonly image: string;
  /** `objects/` of the store. */
  readonly objects: string;
  /** Mount point of the image. */
  readonly meta: string;
  /** Mount point of the finished root. */
  readonly rootfs: string;
  /** Where the tree is written out if it has to be. */
  readonly plainTree: string;
}

/**
 * The plan for one tree. Pure: nothing is touched. All places are absolute paths as they are when
 * the mounts happen: for an offline root, paths inside it.
 *
 * @throws CheckoutError MOUNT_FAILED when a path cannot be said in a mount option.
 */
export function planCheckout(_support: CheckoutSupport, _places: CheckoutPlaces): CheckoutPlan {
  throw new Error('being written');
}

/**
 * Carries out the mounts of `plan` now, in this mount namespace, creating the mount points; a plain
 * tree needs nothing. On failure or abort nothing stays mounted. Returns the directory that is the root.
 *
 * @throws CheckoutError MOUNT_FAILED
 */
export async function mountCheckout(_plan: CheckoutPlan, _signal: AbortSignal): Promise<string> {
  throw new Error('being written');
}

/** Takes down what {@link mountCheckout} mounted; what is not mounted is passed over. @throws CheckoutError MOUNT_FAILED when busy. */
export async function unmountCheckout(_plan: CheckoutPlan): Promise<void> {
  throw new Error('being written');
}
