// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { baseName, MAX_DEPTH, parentPath, ROOT_PATH } from '../tree/entry-path.ts';
import type { InodeAttributes } from '../tree/inode.ts';
import { LayerError } from '../tree/layer-error.ts';
import { type MissingDirectory, walkPath } from '../tree/path-walk.ts';
import { DEFAULT_DIRECTORY, type InodeNumber, ROOT, type Tree } from '../tree/tree.ts';

/** Puts the inodes of one layer into a tree, one after the other. */
export class LayerMerge {
  readonly #tree: Tree;
  /** What this layer brought: its entries must not undo each other. New inodes have higher numbers than all before. */
  readonly #firstOwn: InodeNumber;
  /** What it brought of older inodes: attributes for a directory, a name for a file. */
  readonly #touched = new Set<InodeNumber>();
  /** Where the entry before lay; archives keep directories together. */
  #lastPath: ByteString = ROOT_PATH;
  #lastDirectory: InodeNumber = ROOT;

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#firstOwn = tree.inodeCount;
  }

  /**
   * Gives the directory at `path` these attributes, all of them; makes it when it is not there, in
   * place of anything else of the layers below. Children stay.
   */
  putDirectory(path: ByteString, attributes: InodeAttributes): void {
    const tree = this.#tree;
    const existing = path === ROOT_PATH ? ROOT : tree.child(this.#parentOf(path), baseName(path));
    if (existing !== undefined && tree.isDirectory(existing)) {
      tree.setAttributes(existing, attributes);
      this.#claim(existing);
    } else {
      this.put(path, tree.addDirectory(attributes));
    }
  }

  /** Puts `inode` at `path`, in place of anything of the layers below. */
  put(path: ByteString, inode: InodeNumber): void {
    if (path === ROOT_PATH) {
      throw new LayerError('ROOT_NOT_DIRECTORY', 'applying a layer: the root is no directory');
    }
    this.#replace(this.#parentOf(path), baseName(path), inode, path);
  }

  #replace(parent: InodeNumber, name: ByteString, inode: InodeNumber, path: ByteString): void {
    const existing = this.#tree.child(parent, name);
    if (existing !== undefined) {
      if (this.#tree.isDirectory(existing) && this.#holdsOwn(existing)) {
        throw parentNotDirectory(path);
      }
      this.#lastPath = ROOT_PATH;
      this.#lastDirectory = ROOT;
    }
    this.#tree.setChild(parent, name, inode);
    this.#claim(inode);
  }

  #claim(inode: InodeNumber): void {
    if (inode < this.#firstOwn) this.#touched.add(inode);
  }

  #isOwn(inode: InodeNumber): boolean {
    return inode >= this.#firstOwn || this.#touched.has(inode);
  }

  #parentOf(path: ByteString): InodeNumber {
    const parent = parentPath(path);
    if (parent === this.#lastPath) return this.#lastDirectory;
    const directory = this.#plainDirectory(parent) ?? this.#madeDirectory(parent, path);
    this.#lastPath = parent;
    this.#lastDirectory = directory;
    return directory;
  }

  /** The common case: every component is there and is a directory. */
  #plainDirectory(path: ByteString): InodeNumber | undefined {
    if (path === ROOT_PATH) return ROOT;
    let directory = ROOT;
    for (let start = 0; ;) {
      const slash = path.indexOf('/', start);
      const name = path.slice(start, slash === -1 ? path.length : slash) as ByteString;
      const child = this.#tree.child(directory, name);
      if (child === undefined || !this.#tree.isDirectory(child)) return undefined;
      if (slash === -1) return child;
      directory = child;
      start = slash + 1;
    }
  }

  #madeDirectory(parent: ByteString, path: ByteString): InodeNumber {
    const directory = walkPath(this.#tree, parent, {
      last: 'directory',
      onMissing: (missing) => this.#makeDirectory(missing, path),
    });
    if (directory === undefined) throw danglingParent(path);
    return directory;
  }

  #makeDirectory(missing: MissingDirectory, path: ByteString): InodeNumber {
    const { parent, name, found, isInLink, depth } = missing;
    if (isInLink) throw danglingParent(path);
    if (found !== undefined && this.#isOwn(found)) throw parentNotDirectory(path);
    if (depth + 2 > MAX_DEPTH) throw tooDeep(path);
    const directory = this.#tree.addDirectory(DEFAULT_DIRECTORY);
    this.#replace(parent, name, directory, path);
    return directory;
  }

  #holdsOwn(directory: InodeNumber): boolean {
    const open = [directory];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (this.#isOwn(next)) return true;
      for (const name of this.#tree.names(next)) {
        const child = this.#tree.inodeOf(name);
        if (this.#tree.isDirectory(child)) open.push(child);
        else if (this.#isOwn(child)) return true;
      }
    }
    return false;
  }
}

function parentNotDirectory(path: ByteString): LayerError {
  return new LayerError(
    'PARENT_NOT_DIRECTORY',
    `applying a layer: for ${displayBytes(path)}, a directory and something else have one name`,
  );
}

function danglingParent(path: ByteString): LayerError {
  return new LayerError(
    'DANGLING_PARENT',
    `applying a layer: the directory of ${displayBytes(path)} is a symbolic link that leads to none`,
  );
}

function tooDeep(path: ByteString): LayerError {
  return new LayerError('PATH_TOO_LONG', `applying a layer: ${displayBytes(path)} lies too deep`);
}
