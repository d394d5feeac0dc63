// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/sysct-error.ts';
import { writeErofsImage } from '../../store/erofs/write-erofs-image.ts';
import type { ContentSources } from '../../store/checkout/content-sources.ts';
import { writePlainTree } from '../../store/checkout/plain-tree.ts';
import { AdditionalStore } from '../../store/reader/additional-store.ts';
import { listFiles } from '../../store/tree/tree-files.ts';
import { syncFileSystem } from '../../sys/durable-file.ts';
import type { ContainerDirectory } from '../record/container-directory.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { mountedRoot, ROOT_IMAGE, ROOT_TREE } from '../record/generation-paths.ts';
import { printGeneration } from '../record/generation.ts';
import type { InstallPlan } from '../plan/install-plan.ts';

/** Writes `containers/NAME/N`, durable when this resolves. Nothing of the host changes. */
export async function buildGeneration(
  plan: InstallPlan,
  directory: ContainerDirectory,
  parts: ContainerParts,
): Promise<void> {
  const { generation } = plan;
  await parts.store.assertSpace(bytesToBuild(plan), parts.signal);
  const building = directory.startBuilding(generation.number);
  for (const [name, text] of plan.bundleFiles) {
    writeFileSync(join(building, name), text, { mode: 0o600 });
  }
  if (plan.rootTree !== undefined) {
    using sources = plan.store.contentSources();
    if (generation.checkout.method === 'erofs-overlay') {
      sources.useSeals(plan.rootSeals);
      writeRootImage(plan, join(building, ROOT_IMAGE), sources);
      if (plan.rootSeals !== undefined) {
        await parts.store.sealer.seal([join(building, ROOT_IMAGE)], parts.signal);
      }
      // What old templates call $DESTDIR/rootfs.
      symlinkSync(mountedRoot(generation.name, generation.number), join(building, ROOT_TREE));
    } else {
      const root = join(building, ROOT_TREE);
      mkdirSync(root, { mode: 0o755 });
      const { omissions } = await writePlainTree(plan.rootTree, root, sources, parts.signal);
      for (const omission of omissions) parts.log.warn(omission);
    }
  }
  writeFileSync(join(building, 'generation.json'), printGeneration(generation), { mode: 0o600 });
  await syncFileSystem(building);
  directory.finishBuilding(generation.number);
}

/** About what the generation will take: an image like that of the store, or the files themselves. */
function bytesToBuild({ generation, rootTree, rootIsImage, store }: InstallPlan): number {
  if (rootTree === undefined) return 0;
  if (generation.checkout.method !== 'erofs-overlay') return listFiles(rootTree).contentBytes;
  if (rootIsImage) return 0;
  const image = store.layout.image(generation.image.treeId);
  return statSync(image, { throwIfNoEntry: false })?.size ?? 0;
}

// A link to the store's image costs nothing, and what is named here is kept whatever becomes of the image there.
// That of an additional store is never mounted: nothing but its writer says what is in it.
function writeRootImage(plan: InstallPlan, path: string, sources: ContentSources): void {
  const image = plan.store.layout.image(plan.generation.image.treeId);
  const isOurs = !(plan.store instanceof AdditionalStore);
  // It may have been written when the objects were not sealed yet.
  const isSame = plan.rootIsImage && plan.rootSeals === undefined;
  if (isOurs && isSame && tryLink(image, path)) return;
  if (plan.rootTree === undefined) return;
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeErofsImage(plan.rootTree, fd, sources);
  } finally {
    closeSync(fd);
  }
}

function tryLink(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EMLINK', 'EXDEV', 'EPERM')) return false;
    throw error;
  }
}
