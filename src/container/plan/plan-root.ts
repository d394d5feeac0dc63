// SPDX-License-Identifier: Apache-2.0
import { type CheckoutPlan, planCheckout } from '../../store/checkout/checkout.ts';
import { offlineCheckout } from '../../store/checkout/checkout-offline.ts';
import { probeCheckout } from '../../store/checkout/checkout-probe.ts';
import { AdditionalStore } from '../../store/reader/additional-store.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import {
  bundlePath,
  mountedRoot,
  ROOT_IMAGE,
  ROOT_TREE,
  runningPath,
} from '../record/generation-paths.ts';

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
    meta: `${runningPath(name, number)}/meta`,
    rootfs: mountedRoot(name, number),
    plainTree: `${bundle}/${ROOT_TREE}`,
    sealed,
  });
}
