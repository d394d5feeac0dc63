// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { isKnownName } from '../disk/format-file.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { listShards } from '../disk/object-shards.ts';
import { type Ownership, wrongMode } from './check-file.ts';
import { insideStore, strangerOf } from './check-named-files.ts';
import { namesIn } from '../disk/names-in.ts';
import type { Finding } from './finding.ts';

const DIRECTORY_MODE = 0o700;
const IMAGE = /^[0-9a-f]{64}[.]erofs$/;

/** Checks modes and owners of the store's directories, and names that nothing of a store has. */
export function checkDirectories(layout: StoreLayout, ownership: Ownership): Finding[] {
  const { directory, objects, layers, trees, images, blobs, refs, transactions } = layout;
  const shards = listShards(layout).shards.map((shard) => join(objects, shard));
  const all = [directory, objects, ...shards, layers, trees, images, blobs, refs, transactions];
  return [
    ...all.flatMap((path) => modeOf(layout, path, ownership)),
    ...namesIn(directory)
      .filter((name) => !isKnownName(name))
      .map(strangerOf),
    ...namesIn(images)
      .filter((name) => !IMAGE.test(name))
      .map((name) => strangerOf(`images/${name}`)),
  ];
}

function modeOf(layout: StoreLayout, path: string, ownership: Ownership): Finding[] {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const seen =
    stats === undefined ? undefined : wrongMode(stats, { mode: DIRECTORY_MODE, ...ownership });
  if (seen === undefined) return [];
  const name = insideStore(layout, path) || '.';
  return [{ kind: 'file', problem: 'mode', name, seen, needs: [] }];
}
