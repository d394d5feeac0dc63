// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeErofsImage } from '../store/erofs/write-erofs-image.ts';
import { writePlainTree } from '../store/plain-tree.ts';
import { syncFileSystem } from '../sys/durable-file.ts';
import type { ContainerDirectory } from './container-directory.ts';
import type { ContainerParts } from './container-parts.ts';
import { printGeneration } from './generation.ts';
import type { InstallPlan } from './install-plan.ts';

/** The generation's root, inside its directory: an EROFS image, or the written-out tree. */
export const ROOT_IMAGE = 'rootfs.erofs';
export const ROOT_TREE = 'rootfs';

/** Writes `containers/NAME/N`, durable when this resolves. Nothing of the host changes. */
export async function buildGeneration(
  plan: InstallPlan,
  directory: ContainerDirectory,
  parts: ContainerParts,
): Promise<void> {
  const { generation } = plan;
  const building = directory.startBuilding(generation.number);
  for (const [name, text] of plan.bundleFiles) {
    writeFileSync(join(building, name), text, { mode: 0o600 });
  }
  if (plan.rootTree !== undefined) {
    const sources = parts.store.contentSources();
    if (generation.checkout.method === 'erofs-overlay') {
      const fd = openSync(join(building, ROOT_IMAGE), 'wx', 0o600);
      try {
        writeErofsImage(plan.rootTree.root, fd, sources);
      } finally {
        closeSync(fd);
      }
    } else {
      const root = join(building, ROOT_TREE);
      mkdirSync(root, { mode: 0o755 });
      const { omissions } = await writePlainTree(plan.rootTree.root, root, sources, parts.signal);
      for (const omission of omissions) parts.log.warn(omission);
    }
  }
  writeFileSync(join(building, 'generation.json'), printGeneration(generation), { mode: 0o600 });
  await syncFileSystem(building);
  directory.finishBuilding(generation.number);
}
