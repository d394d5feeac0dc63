// SPDX-License-Identifier: Apache-2.0
import { constants, copyFileSync, createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, sha256, type Digest } from '../../../src/base/digest.ts';
import type { TarEntry } from '../../../src/archive/tar-entry.ts';
import { TarReader } from '../../../src/archive/tar-reader.ts';
import { applyLayer } from '../../../src/store/layer/apply-layer.ts';
import {
  type CleanEntry,
  EntryCleaner,
  withContent,
} from '../../../src/store/layer/clean-entry.ts';
import type { FileContent, InlineContent, ObjectContent } from '../../../src/store/tree/inode.ts';
import type { LayerEntry } from '../../../src/store/layer/layer-entry.ts';
import { Tree } from '../../../src/store/tree/tree.ts';
import { layerOfDiffId } from '../../../src/store/disk/layer-identity.ts';

/** A tree and its bytes, from tar archives, by the store's own reader and rules but without a store around them. */
export interface ImportedTree {
  readonly tree: Tree;
  readInline(content: InlineContent): Buffer;
  copyObject(content: ObjectContent, to: Buffer): void;
}

/** Reads uncompressed layers, lowest first; writes objects, 0400 in directories 0700, into `objects`. */
export async function importLayers(
  layers: readonly string[],
  objects: string,
  inlineMaxBytes: number,
): Promise<ImportedTree> {
  const tree = new Tree();
  const inline = new Map<Digest, Buffer>();
  const objectPath = ({ digest }: { readonly digest: Digest }): string => {
    const hex = digestHex(digest);
    return join(objects, hex.slice(0, 2), hex.slice(2));
  };
  const keep = (bytes: Buffer): FileContent => {
    const digest = sha256(bytes);
    const sizeBytes = bytes.length;
    if (sizeBytes <= inlineMaxBytes) {
      inline.set(digest, bytes);
      return { kind: 'inline', digest, sizeBytes, layer: layerOfDiffId(digest).key, offset: 0 };
    }
    mkdirSync(join(objects, digestHex(digest).slice(0, 2)), { recursive: true, mode: 0o700 });
    writeFileSync(objectPath({ digest }), bytes, { mode: 0o400 });
    return { kind: 'object', digest, sizeBytes };
  };
  const copyObject = ({ digest }: ObjectContent, to: Buffer): void => {
    copyFileSync(objectPath({ digest }), to, constants.COPYFILE_FICLONE);
  };
  for (const layer of layers) applyLayer(tree, await readEntries(layer, keep));
  return { tree, readInline: ({ digest }) => inline.get(digest)!, copyObject };
}

async function readEntries(
  layer: string,
  keep: (bytes: Buffer) => FileContent,
): Promise<LayerEntry[]> {
  const cleaner = new EntryCleaner();
  const entries: LayerEntry[] = [];
  let current: CleanEntry | undefined;
  let parts: Buffer[] = [];
  const reader = new TarReader({
    entry: (entry: TarEntry) => {
      current = cleaner.clean(entry);
      parts = [];
    },
    data: (chunk) => {
      parts.push(Buffer.from(chunk));
    },
    endEntry: () => {
      if (current === undefined) return;
      if (current.kind === 'file' && !('content' in current)) {
        entries.push(withContent(current, keep(Buffer.concat(parts))));
      } else if (current.kind !== 'file') {
        entries.push(current);
      }
    },
  });
  for await (const chunk of createReadStream(layer, { highWaterMark: 1 << 20 })) {
    reader.write(chunk as Buffer);
  }
  reader.end();
  return entries;
}
