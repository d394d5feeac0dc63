// SPDX-License-Identifier: Apache-2.0
import { displayBytes } from '../../../src/base/byte-string.ts';
import { type Digest, sha256 } from '../../../src/base/digest.ts';
import { applyLayer } from '../../../src/store/layer/apply-layer.ts';
import { EntryCleaner, withContent } from '../../../src/store/layer/clean-entry.ts';
import type { Inode } from '../../../src/store/tree/inode.ts';
import type { LayerEntry } from '../../../src/store/layer/layer-entry.ts';
import { Tree, walkTree } from '../../../src/store/tree/tree.ts';
import { readTar } from '../image/read-tar.ts';

export interface Image {
  readonly tree: Tree;
  readonly contents: ReadonlyMap<Digest, Buffer>;
}

/** The tree of layers given as tar archives, lowest first, by the way that an import takes. */
export function imageOf(...layers: readonly Buffer[]): Image {
  const tree = new Tree();
  const contents = new Map<Digest, Buffer>();
  for (const layer of layers) applyLayer(tree, entriesOf(layer, contents));
  return { tree, contents };
}

export function entriesOf(layer: Buffer, contents = new Map<Digest, Buffer>()): LayerEntry[] {
  const cleaner = new EntryCleaner();
  const entries: LayerEntry[] = [];
  for (const { entry, content } of readTar(layer)) {
    const clean = cleaner.clean(entry);
    if (clean === undefined) continue;
    if (clean.kind !== 'file') {
      entries.push(clean);
      continue;
    }
    const digest = sha256(content);
    contents.set(digest, content);
    entries.push(withContent(clean, { kind: 'object', digest, sizeBytes: content.length }));
  }
  return entries;
}

/**
 * One line a name: `dir 755 0:0 @1000`, `file 644 0:0 @1000 "text"`, `symlink 777 0:0 @0 -> x`,
 * `char 666 0:0 @0 1:3`, then ` xattr=hex`; a later name of a hard link is `= first/name`. The root is `/`.
 */
export function show({ tree, contents }: Image): Record<string, string> {
  const lines: Record<string, string> = {};
  for (const { path, inode, linkOf } of walkTree(tree)) {
    const text = linkOf === undefined ? showInode(inode, contents) : `= ${displayBytes(linkOf)}`;
    lines[path === '' ? '/' : displayBytes(path)] = text;
  }
  return lines;
}

function showInode(inode: Inode, contents: ReadonlyMap<Digest, Buffer>): string {
  const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = inode;
  const time = mtimeNanoseconds === 0 ? mtimeSeconds : `${mtimeSeconds}+${mtimeNanoseconds}ns`;
  const type = inode.type === 'directory' ? 'dir' : inode.type;
  const words = [type, mode.toString(8), `${uid}:${gid}`, `@${time}`];
  if (inode.type === 'file') {
    words.push(JSON.stringify(contents.get(inode.content.digest)!.toString('latin1')));
  }
  if (inode.type === 'symlink') words.push(`-> ${displayBytes(inode.target)}`);
  if (inode.type === 'char' || inode.type === 'block') {
    words.push(`${inode.deviceMajor}:${inode.deviceMinor}`);
  }
  for (const [key, value] of inode.xattrs) {
    words.push(`${displayBytes(key)}=${value.toString('hex')}`);
  }
  return words.join(' ');
}
