// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { sha256 } from '../../base/digest.ts';
import { MAX_DEPTH } from './entry-path.ts';
import { NO_XATTRS } from './inode.ts';
import { LayerError } from './layer-error.ts';
import { type MissingDirectory, walkPath } from './path-walk.ts';
import { DEFAULT_DIRECTORY, type InodeNumber, type Tree } from './tree.ts';

/**
 * The inode at `path`, symbolic links followed inside the tree (absolute ones from its root, `..`
 * never above it), like stat(2) after chroot(2). Undefined when there is none, a link loops, or a parent is no directory.
 */
export function lookup(tree: Tree, path: ByteString): InodeNumber | undefined {
  return walkPath(tree, path, { last: 'followed', onMissing: () => undefined });
}

/** {@link lookup}, but a symbolic link as the last component is the answer itself, like lstat(2). */
export function lookupNoFollow(tree: Tree, path: ByteString): InodeNumber | undefined {
  return walkPath(tree, path, { last: 'any', onMissing: () => undefined });
}

/**
 * Makes `path` a directory, with the missing ones above it (0755, root:root, mtime 0); symbolic
 * links are followed inside the tree, and what a dangling one names is made.
 * @returns whether anything was created.
 * @throws LayerError `PARENT_NOT_DIRECTORY` when something else is in the way, `PATH_TOO_LONG`.
 */
export function ensureDirectory(tree: Tree, path: ByteString): boolean {
  let isCreated = false;
  const directory = walkPath(tree, path, {
    last: 'directory',
    onMissing: (missing) => {
      isCreated = true;
      return makeDirectory(tree, missing, path);
    },
  });
  if (directory === undefined) throw inTheWay(path);
  return isCreated;
}

/**
 * Makes `path` something that a file can be bind-mounted on: left alone when it is there and no directory,
 * otherwise an empty file (0644, root:root, mtime 0), its parents as {@link ensureDirectory} does.
 * @returns whether anything was created.
 * @throws LayerError `PARENT_NOT_DIRECTORY` when a directory is there, or a parent is none; `PATH_TOO_LONG`.
 */
export function ensureFile(tree: Tree, path: ByteString): boolean {
  const found = lookup(tree, path);
  if (found !== undefined && !tree.isDirectory(found)) return false;
  let isCreated = false;
  walkPath(tree, path, {
    last: 'directory',
    onMissing: (missing) => {
      if (!missing.isLast) return makeDirectory(tree, missing, path);
      tree.setChild(missing.parent, missing.name, addEmptyFile(tree));
      isCreated = true;
      return undefined;
    },
  });
  if (!isCreated) throw inTheWay(path);
  return true;
}

function makeDirectory(tree: Tree, missing: MissingDirectory, path: ByteString): InodeNumber {
  if (missing.found !== undefined) throw inTheWay(path);
  if (missing.depth >= MAX_DEPTH) {
    throw new LayerError('PATH_TOO_LONG', `making ${displayBytes(path)}: it would lie too deep`);
  }
  const directory = tree.addDirectory(DEFAULT_DIRECTORY);
  tree.setChild(missing.parent, missing.name, directory);
  return directory;
}

/** Of 0 bytes: no object is ever looked up for it. */
function addEmptyFile(tree: Tree): InodeNumber {
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0, mtimeNanoseconds: 0 };
  const content = { kind: 'object', digest: sha256(''), sizeBytes: 0 } as const;
  return tree.addFile({ ...attributes, xattrs: NO_XATTRS }, content);
}

function inTheWay(path: ByteString): LayerError {
  return new LayerError(
    'PARENT_NOT_DIRECTORY',
    `making ${displayBytes(path)} in the image: something else is in the way`,
  );
}
