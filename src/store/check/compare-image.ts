// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import { measureFiles, mayHaveVerity } from '../../sys/fs-verity.ts';
import { ContentSources } from '../checkout/content-sources.ts';
import type { StoreLayout } from '../disk/layout.ts';
import type { ErofsSources } from '../erofs/erofs-sources.ts';
import { writeErofsImage } from '../erofs/write-erofs-image.ts';
import { type Tree, walkTree } from '../tree/tree.ts';

const CHUNK_BYTES = 256 * 1024;
/** A FIFO in its place must not hold the check. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What a comparison came to; `untold` where objects lack the seals that the image may name. */
export type ImageComparison =
  { readonly kind: 'equal' | 'untold' } | { readonly kind: 'different'; readonly seen: string };

/**
 * Compares the image at `path` with the one that `tree` gives, byte for byte: without seals, and where
 * objects can have them, with the seals that its objects have now. In `seen` are words that follow "it".
 *
 * @throws StoreError when the contents of small files cannot be read, so that nothing can be told;
 *   what open(2) and read(2) throw for the image.
 */
export async function compareImage(
  path: string,
  tree: Tree,
  layout: StoreLayout,
): Promise<ImageComparison> {
  using sources = new ContentSources(layout);
  const seen = differenceWith(path, tree, sources);
  if (seen === undefined) return { kind: 'equal' };
  if (!mayHaveVerity(layout.directory)) return { kind: 'different', seen };
  const objects = objectsOf(tree);
  const answer = await measureFiles(
    objects.map((digest) => layout.object(digest)),
    new AbortController().signal,
  );
  if (!answer.supported) return { kind: 'different', seen };
  const seals = new Map<Digest, Buffer>();
  for (const [index, state] of answer.states.entries()) {
    const digest = objects[index];
    if (digest !== undefined && state.kind === 'sealed') seals.set(digest, state.digest);
  }
  if (seals.size < objects.length) return { kind: 'untold' };
  sources.useSeals(seals);
  const withSeals = differenceWith(path, tree, sources);
  return withSeals === undefined ? { kind: 'equal' } : { kind: 'different', seen: withSeals };
}

/** The objects of a tree, each once; mount points that are empty files have none. */
export function objectsOf(tree: Tree): readonly Digest[] {
  const objects = new Set<Digest>();
  for (const { inode } of walkTree(tree)) {
    if (inode.type !== 'file' || inode.content.kind !== 'object') continue;
    if (inode.content.sizeBytes > 0) objects.add(inode.content.digest);
  }
  return [...objects];
}

function differenceWith(path: string, tree: Tree, sources: ErofsSources): string | undefined {
  const image = openSync(path, OPEN);
  try {
    const rebuilt = openUnnamed();
    try {
      writeErofsImage(tree, rebuilt, sources);
      return difference(image, rebuilt);
    } finally {
      closeSync(rebuilt);
    }
  } finally {
    closeSync(image);
  }
}

function difference(image: number, rebuilt: number): string | undefined {
  const sizeBytes = fstatSync(rebuilt).size;
  const seenBytes = fstatSync(image).size;
  if (seenBytes !== sizeBytes) return `has ${seenBytes} bytes, its tree gives ${sizeBytes}`;
  const [ours, theirs] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  for (let at = 0; at < sizeBytes; at += CHUNK_BYTES) {
    const count = Math.min(CHUNK_BYTES, sizeBytes - at);
    readSync(rebuilt, ours, 0, count, at);
    const got = readSync(image, theirs, 0, count, at);
    if (got !== count || ours.compare(theirs, 0, count, 0, count) !== 0) {
      return `differs from what its tree gives, within ${CHUNK_BYTES / 1024} KiB of byte ${at}`;
    }
  }
  return undefined;
}

/** A file without a name, for as long as it is open. */
function openUnnamed(): number {
  const directory = mkdtempSync(join(tmpdir(), 'sysct-check-'));
  try {
    return openSync(join(directory, 'image'), 'wx+', 0o600);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
