// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { syncFileSystem } from '../../sys/durable-file.ts';
import type { Sealer, Seals } from '../checkout/sealer.ts';
import type { LayerKey } from '../disk/layer-identity.ts';
import type { StoreLayout } from '../disk/layout.ts';
import type { StagedObjects } from './staged-objects.ts';

/** What an import staged, by path. */
export interface StagedFiles {
  readonly directory: string;
  readonly object: (digest: Digest) => string | undefined;
  readonly layer: (key: LayerKey) => string | undefined;
}

/**
 * Seals objects that an import staged, where that works; also waits for the syncs that run.
 * @param digests which; all of them when absent.
 * @param directory of the import.
 * @returns whether all of them are sealed now.
 */
export async function sealStaged(
  staging: StagedObjects,
  sealer: Sealer,
  directory: string,
  signal: AbortSignal,
  digests?: Iterable<Digest>,
): Promise<boolean> {
  await staging.settle();
  if (!(await sealer.works(directory, signal))) return false;
  // Sealing a file that is not on disk waits for the disk, file by file.
  await syncFileSystem(directory);
  return await sealer.seal(staging.paths(digests), signal);
}

/** What an image of `objects`, staged or in the store, is to say of them. */
export async function sealsForImage(
  objects: Iterable<Digest>,
  staging: StagedObjects,
  { sealer, layout, signal }: SealParts,
): Promise<Seals | undefined> {
  return await sealer.sealsFor(
    objects,
    signal,
    (digest) => staging.pathOf(digest) ?? layout.object(digest),
  );
}

interface SealParts {
  readonly sealer: Sealer;
  readonly layout: StoreLayout;
  readonly signal: AbortSignal;
}
