// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { type InodeNumber, ROOT, type Tree } from './tree.ts';

/** As Linux: a path that follows more symbolic links than this is taken for a loop. */
const MAX_LINKS = 40;

/** Components that one path may come to with all its links: `a/../a/../…` in them would cost time for nothing. */
const MAX_COMPONENTS = 1024;

/** A component that has to be a directory and is not one. */
export interface MissingDirectory {
  readonly parent: InodeNumber;
  readonly name: ByteString;
  /** What is there instead; undefined when nothing is. */
  readonly found: InodeNumber | undefined;
  /** Nothing of the path comes after it. */
  readonly isLast: boolean;
  /** A symbolic link's target named this component, not the path itself. */
  readonly isInLink: boolean;
  /** How deep `parent` lies; the root's children's parent has 0. */
  readonly depth: number;
}

export interface WalkRules {
  /**
   * What the last component may be: `any` inode, a symbolic link being one; what a link leads to
   * (`followed`); or a `directory`, perhaps by a link.
   */
  readonly last: 'any' | 'followed' | 'directory';
  /** Puts a directory where one is needed, or gives up. */
  readonly onMissing: (missing: MissingDirectory) => InodeNumber | undefined;
}

/**
 * Walks from the root along `path`, symbolic links followed inside the tree: absolute ones from the root,
 * `..` never above it. @returns undefined where `onMissing` gave up, nothing is there, or links
 * loop or go on too long.
 */
export function walkPath(tree: Tree, path: ByteString, rules: WalkRules): InodeNumber | undefined {
  const open: InodeNumber[] = [];
  let directory = ROOT;
  let links = 0;
  let components = 0;
  const rest = path.split('/').reverse();
  let leftOfPath = rest.length;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const isInLink = rest.length >= leftOfPath;
    leftOfPath = Math.min(leftOfPath, rest.length);
    components += 1;
    if (components + rest.length > MAX_COMPONENTS) return undefined;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      directory = open.pop() ?? ROOT;
      continue;
    }
    const found = tree.child(directory, name as ByteString);
    const type = found === undefined ? undefined : tree.type(found);
    const isLast = rest.length === 0;
    if (found !== undefined && type === 'symlink' && !(isLast && rules.last === 'any')) {
      links += 1;
      if (links > MAX_LINKS) return undefined;
      const target = tree.target(found);
      if (target.startsWith('/')) {
        open.length = 0;
        directory = ROOT;
      }
      rest.push(...target.split('/').reverse());
      continue;
    }
    if (isLast && rules.last !== 'directory' && type !== 'directory') return found;
    open.push(directory);
    if (found !== undefined && type === 'directory') {
      directory = found;
      continue;
    }
    const parent = directory;
    const depth = open.length - 1;
    const made = rules.onMissing({
      parent,
      name: name as ByteString,
      found,
      isLast,
      isInLink,
      depth,
    });
    if (made === undefined) return undefined;
    directory = made;
  }
  return directory;
}
