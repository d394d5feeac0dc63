// SPDX-License-Identifier: Apache-2.0
import { rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno } from '../base/sysct-error.ts';
import { nameHere } from '../image/source/name-here.ts';
import { pullImage, type PullParts } from '../image/pull-image.ts';
import { StoredSource } from '../image/source/stored-source.ts';
import { GENERATION_IMAGE } from '../store/collect/generation-images.ts';
import { scanRedirects } from '../store/collect/scan-redirects.ts';
import { digestsOf } from '../store/tree/tree-needs.ts';
import type { Stores } from '../store/stores.ts';
import { syncDirectory } from '../sys/durable-file.ts';
import { ContainerError } from './record/container-error.ts';
import type { ContainerParts } from './record/container-parts.ts';
import type { Generation } from './record/generation.ts';
import type { InstalledContainer } from './record/installed-container.ts';
import { judgedAs } from './record/judged-as.ts';
import { additionalStoreDropInOf, neededStores } from './record/needed-stores.ts';
import { lockSwitches } from './switch/recover-switches.ts';
import { reloadUnits, type ServiceControl } from './host/service-control.ts';

/**
 * Copies what an installed container needs of additional stores, and then takes them out of its mount
 * units: from the next mount on (a restart keeps the mounts, stop and start makes them anew) it runs
 * without them. May be repeated at any time.
 *
 * @returns false when it needed none.
 * @throws TrustError REFUSED when today's policy does not admit the image; ContainerError, StoreError
 */
export async function prefetchContainer(
  installed: InstalledContainer,
  stores: Stores,
  pullParts: PullParts,
  parts: ContainerParts,
  control: ServiceControl,
): Promise<boolean> {
  const { current } = installed;
  const dropIn = additionalStoreDropInOf(current);
  if (dropIn === undefined || neededStores(parts.host, current).length === 0) return false;
  if (!hasTree(current, stores)) await copyImage(current, stores, pullParts);
  assertSameObjects(installed, stores);
  using lock = await lockSwitches(parts, control);
  void lock;
  removeDropIn(parts.host.resolve(dropIn));
  await reloadUnits(control, parts.signal);
  return true;
}

function hasTree({ image }: Generation, { local }: Stores): boolean {
  return local
    .listRefs()
    .some((record) => record.treeId === image.treeId && local.holdsImage(record));
}

async function copyImage(
  { name, image, additionalStores = [] }: Generation,
  stores: Stores,
  pullParts: PullParts,
): Promise<void> {
  const found = stores.findElsewhere(image.manifestDigest, image.treeId);
  if (found === undefined) {
    throw new ContainerError(
      'CONTAINER_BROKEN',
      `prefetching ${name}: no additional store lists its image ${image.source} any more`,
      {
        hint: `see whether ${additionalStores.join(', ')} is mounted; else pull ${image.source} and install it anew`,
      },
    );
  }
  const { store } = found;
  // The other store may have the same image under another name, for which policy has another rule.
  const record = { ...found.record, ...judgedAs(image) };
  await using source = new StoredSource(store, record);
  const keepAs = nameHere(record, stores);
  await pullImage(source, { ...pullParts, ...(keepAs !== undefined && { keepAs }) });
}

// The root was made from the other store's tree. A store that keeps other files inline than this one
// has other objects for the same tree, and the root would miss some.
function assertSameObjects({ current, directory }: InstalledContainer, { local }: Stores): void {
  const { name, number, image } = current;
  const here = new Set(digestsOf(local.readTreeNeeds(image.treeId).objects));
  const needed = scanRedirects(join(directory.generationPath(number), GENERATION_IMAGE));
  if ([...digestsOf(needed)].every((object) => here.has(object))) return;
  throw new ContainerError(
    'CONTAINER_BROKEN',
    `prefetching ${name}: its root needs files that this store keeps otherwise than the one it was made from`,
    { hint: `the image is here now: uninstall ${name} and install it again` },
  );
}

function removeDropIn(path: string): void {
  const directory = dirname(path);
  rmSync(path, { force: true });
  syncDirectory(directory);
  try {
    rmdirSync(directory);
    syncDirectory(dirname(directory));
  } catch (error) {
    // An admin may have a drop-in there as well.
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}
