// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { type MountDescription, mountFileSystem, unmountFileSystem } from '../../sys/mount.ts';
import { mountsWithin, readMountInfo } from '../../sys/mount-info.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import type { CheckoutSupport, OverlayForm } from './checkout-support.ts';
import type { VerityLevel } from './sealer.ts';
import { overlayOptions } from './overlay-options.ts';

/** How a tree becomes a directory, and why so. */
export type CheckoutPlan =
  | {
      readonly method: 'erofs-overlay';
      readonly form: OverlayForm;
      /** What fs-verity does for this mount. */
      readonly verityLevel: VerityLevel;
      /** One line for `inspect`. */
      readonly reason: string;
      /** In the order to mount them: the image at META, then the overlay at ROOTFS. */
      readonly mounts: readonly [meta: MountDescription, rootfs: MountDescription];
      /** While some objects are only in an additional store: its directory, and the options of ROOTFS with it. */
      readonly additional?: { readonly store: string; readonly options: readonly string[] };
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
  /** Directory of the additional store that has the objects which the host's own store lacks. */
  readonly additional?: string;
  /** Mount point of the image. */
  readonly meta: string;
  /** Mount point of the finished root. */
  readonly rootfs: string;
  /** Where the tree is written out if it has to be. */
  readonly plainTree: string;
  /** The image names the fs-verity digests of all its objects. */
  readonly sealed: boolean;
}

/**
 * The plan for one tree. Pure: nothing is touched. All places are absolute paths as they are when
 * the mounts happen: for an offline root, paths inside it.
 *
 * @throws CheckoutError MOUNT_FAILED when a path cannot be said in a mount option.
 */
export function planCheckout(support: CheckoutSupport, places: CheckoutPlaces): CheckoutPlan {
  if (support.method === 'plain-tree') {
    return { method: 'plain-tree', reason: support.reason, directory: places.plainTree };
  }
  const { additional } = places;
  const optionsOver = (...objects: readonly string[]): readonly string[] =>
    overlayOptions(support.form, places.meta, objects);
  const isEnforced = places.sealed && support.verity;
  return {
    method: support.method,
    form: support.form,
    verityLevel: isEnforced ? 'enforce' : places.sealed ? 'detect' : 'none',
    reason: support.reason,
    ...(additional !== undefined && {
      additional: {
        store: additional,
        options: optionsOver(places.objects, `${additional}/objects`),
      },
    }),
    mounts: [
      // Nobody looks at this mount but overlay, which lets its own options decide about devices,
      // setuid and execution.
      {
        what: places.image,
        where: places.meta,
        type: 'erofs',
        options: ['ro', 'nosuid', 'nodev', 'noexec'],
      },
      {
        what: 'overlay',
        where: places.rootfs,
        type: 'overlay',
        options: [...optionsOver(places.objects), ...(isEnforced ? ['verity=require'] : [])],
      },
    ],
  };
}

/**
 * Carries out the mounts of `plan` now, in this mount namespace, creating the mount points; a plain
 * tree needs nothing. On failure or abort nothing stays mounted. Returns the directory that is the root.
 *
 * @throws CheckoutError MOUNT_FAILED
 */
export async function mountCheckout(plan: CheckoutPlan, signal: AbortSignal): Promise<string> {
  if (plan.method === 'plain-tree') return plan.directory;
  try {
    const [meta, rootfs] = plan.mounts;
    for (const mount of [
      meta,
      { ...rootfs, options: plan.additional?.options ?? rootfs.options },
    ]) {
      makeDirectories(mount.where, 0o700);
      await mountFileSystem(mount, signal);
    }
  } catch (error) {
    await unmountCheckout(plan);
    signal.throwIfAborted();
    throw mountFailed(`mounting ${quote(plan.mounts[0].what)}`, error);
  }
  return plan.mounts[1].where;
}

/** Takes down what {@link mountCheckout} mounted; what is not mounted is passed over. @throws CheckoutError MOUNT_FAILED when busy. */
export async function unmountCheckout(plan: CheckoutPlan): Promise<void> {
  if (plan.method === 'plain-tree') return;
  const mounts = readMountInfo();
  for (const { where } of plan.mounts.toReversed()) {
    try {
      for (const { mountPoint } of mountsWithin(mounts, where)) await unmountFileSystem(mountPoint);
    } catch (error) {
      throw mountFailed(`unmounting ${quote(where)}`, error);
    }
  }
}

function mountFailed(doing: string, cause: unknown): CheckoutError {
  return new CheckoutError('MOUNT_FAILED', `${doing}: ${messageOf(cause)}`, {
    cause,
    hint: 'run "dmesg" to see what the kernel says about it',
  });
}
