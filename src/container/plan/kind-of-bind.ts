// SPDX-License-Identifier: Apache-2.0
import { byteStringOf } from '../../base/byte-string.ts';
import { lookup } from '../../store/tree/tree-path.ts';
import type { Tree } from '../../store/tree/tree.ts';
import type { HostView } from '../host/host-view.ts';

export type BindKind = 'directory' | 'file';

/** What a bind is of: as its source is on the host, else as its place is in the image; undefined when neither is there. */
export function kindOfBind(
  host: HostView,
  tree: Tree,
  source: string,
  destination: string,
): BindKind | undefined {
  const entry = host.look(source);
  const kind = entry?.kind === 'symlink' ? entry.leadsTo : entry?.kind;
  if (kind === undefined) return kindInTree(tree, destination);
  return kind === 'directory' ? 'directory' : 'file';
}

/** What is at a path of the image, links followed; undefined for nothing. */
export function kindInTree(tree: Tree, path: string): BindKind | undefined {
  const inode = lookup(tree, byteStringOf(path.replace(/^\/+/, '')));
  if (inode === undefined) return undefined;
  return tree.isDirectory(inode) ? 'directory' : 'file';
}
