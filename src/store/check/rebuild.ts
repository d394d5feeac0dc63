// SPDX-License-Identifier: Apache-2.0
import { fchmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import type { Log } from '../../base/log.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import type { Sealer } from '../checkout/sealer.ts';
import { withNewFile } from '../disk/with-new-file.ts';
import { objectsOf } from './compare-image.ts';
import type { LayerIdentity } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { TransactionDirectory } from '../disk/transaction-directory.ts';
import { writeErofsImage } from '../erofs/write-erofs-image.ts';
import { mergeLayers } from '../import/merge-layers.ts';
import { writeTree } from '../tree/tree-file.ts';
import type { Tree } from '../tree/tree.ts';
import { replaceFiles } from './replacement.ts';

export interface RebuildParts {
  readonly layout: StoreLayout;
  readonly sealer: Sealer;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Writes `trees/<treeID>` anew from the layers of the store. @throws StoreError, LayerError */
export async function rebuildTree(
  treeId: Digest,
  layers: readonly LayerIdentity[],
  { layout, log, signal }: RebuildParts,
): Promise<void> {
  using directory = await TransactionDirectory.create(layout, log, signal);
  const good = join(directory.path, 'tree');
  const seen = writeMerged(good, layers, layout);
  if (seen !== treeId) {
    throw new StoreError('STORE_DAMAGED', `rebuilding tree ${treeId}: its layers give ${seen}`, {
      hint: 'pull the image again',
    });
  }
  await replaceFiles(layout, [{ place: layout.tree(treeId), good }], signal);
}

function writeMerged(path: string, layers: readonly LayerIdentity[], layout: StoreLayout): Digest {
  using sources = new ContentSources(layout);
  return withNewFile(path, 0o600, (fd) => writeTree(mergeLayers(layers, sources), fd).treeId);
}

/** Writes the EROFS image of `tree` anew, at `place`. @throws StoreError */
export async function rebuildImage(
  place: string,
  tree: Tree,
  mode: number,
  { layout, sealer, log, signal }: RebuildParts,
): Promise<void> {
  using directory = await TransactionDirectory.create(layout, log, signal);
  const good = join(directory.path, 'image');
  const seals = await sealer.sealsOf(objectsOf(tree), signal);
  withNewFile(good, 0o600, (fd) => {
    using sources = new ContentSources(layout);
    sources.useSeals(seals);
    writeErofsImage(tree, fd, sources);
    fchmodSync(fd, mode);
  });
  if (seals !== undefined) await sealer.seal([good], signal);
  await replaceFiles(layout, [{ place, good }], signal);
}
