// SPDX-License-Identifier: Apache-2.0
import { byteStringOf } from '../base/byte-string.ts';
import type { MountPoint } from '../launch/mount-points.ts';
import { type CheckoutPlan, planCheckout } from '../store/checkout/checkout.ts';
import { offlineCheckout } from '../store/checkout/checkout-offline.ts';
import { probeCheckout } from '../store/checkout/checkout-probe.ts';
import { AdditionalStore } from '../store/reader/additional-store.ts';
import type { StoreReader } from '../store/reader/store-reader.ts';
import { ensureDirectory, ensureFile } from '../store/tree/tree-path.ts';
import type { Tree } from '../store/tree/tree.ts';
import { mountedRoot, ROOT_IMAGE, ROOT_TREE } from './build-generation.ts';
import type { ContainerParts } from './container-parts.ts';

/**
 * Puts every mount point into the tree: a runtime cannot make one in a root that is read-only.
 * @returns whether any was missing.
 */
export function addMountPoints(tree: Tree, mountPoints: readonly MountPoint[]): boolean {
  let added = false;
  for (const { path, kind } of mountPoints) {
    const inTree = byteStringOf(path.replace(/^\/+/, ''));
    const isNew = kind === 'directory' ? ensureDirectory(tree, inTree) : ensureFile(tree, inTree);
    added ||= isNew;
  }
  return added;
}

/**
 * How the root of generation `number` of `name` becomes a directory on this host; host paths throughout.
 *
 * @param image the store that the image is in.
 * @param sealed whether its image will name the fs-verity digests of its objects.
 */
export async function planRoot(
  name: string,
  number: number,
  image: StoreReader,
  sealed: boolean,
  parts: ContainerParts,
): Promise<CheckoutPlan> {
  const bundle = bundlePath(name, number, parts);
  const running = `/run/sysct/${name}/${number}`;
  const support = parts.host.isRunningHost
    ? await probeCheckout({
        objects: parts.pullStore.layout.objects,
        additional: image instanceof AdditionalStore ? image.layout.objects : undefined,
        runtimeDirectory: '/run/sysct',
        signal: parts.signal,
      })
    : offlineCheckout(parts.host);
  return planCheckout(support, {
    image: `${bundle}/${ROOT_IMAGE}`,
    objects: `${parts.storePath}/objects`,
    ...(image instanceof AdditionalStore && { additional: image.hostPath }),
    meta: `${running}/meta`,
    rootfs: mountedRoot(name, number),
    plainTree: `${bundle}/${ROOT_TREE}`,
    sealed,
  });
}

/** Host path of a generation's directory. */
export function bundlePath(name: string, number: number, parts: ContainerParts): string {
  return `${parts.storePath}/containers/${name}/${number}`;
}
