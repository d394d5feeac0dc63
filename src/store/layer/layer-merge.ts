// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { byteString, bytesOf, displayBytes } from '../../base/byte-string.ts';
import { baseName, MAX_DEPTH, parentPath, ROOT_PATH } from '../tree/entry-path.ts';
import type { DirectoryInode, Inode, InodeAttributes } from '../tree/inode.ts';
import { InodeSet } from '../tree/inode-set.ts';
import { LayerError } from '../tree/layer-error.ts';
import { type MissingDirectory, walkPath } from '../tree/path-walk.ts';
import { newDirectory, type Tree } from '../tree/tree.ts';

/** Puts the inodes of one layer into a tree, one after the other. */
export class LayerMerge {
  readonly #tree: Tree;
  /** What this layer brought: its entries must not undo each other. */
  readonly #own = new InodeSet();
  /** Where the entry before lay; archives keep directories together. */
  #lastPath: ByteString = ROOT_PATH;
  #lastDirectory: DirectoryInode;

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#lastDirectory = tree.root;
  }

  /**
   * Gives the directory at `path` these attributes, all of them; makes it when it is not there, in
   * place of anything else of the layers below. Children stay.
   */
  putDirectory(path: ByteString, attributes: InodeAttributes): void {
    const existing =
      path === ROOT_PATH ? this.#tree.root : this.#parentOf(path).children.get(baseName(path));
    if (existing?.type === 'directory') {
      setAttributes(existing, attributes);
      this.#own.add(existing);
    } else {
      const directory = newDirectory();
      setAttributes(directory, attributes);
      this.put(path, directory);
    }
  }

  /** Puts `inode` at `path`, in place of anything of the layers below. */
  put(path: ByteString, inode: Inode): void {
    if (path === ROOT_PATH) {
      throw new LayerError('ROOT_NOT_DIRECTORY', 'applying a layer: the root is no directory');
    }
    this.#replace(this.#parentOf(path), baseName(path), inode, path);
  }

  #replace(parent: DirectoryInode, name: ByteString, inode: Inode, path: ByteString): void {
    const existing = parent.children.get(name);
    if (existing === undefined) {
      parent.children.set(ownCopy(name), inode);
    } else {
      if (existing.type === 'directory' && this.#holdsOwn(existing)) throw parentNotDirectory(path);
      parent.children.set(name, inode);
      this.#lastPath = ROOT_PATH;
      this.#lastDirectory = this.#tree.root;
    }
    this.#own.add(inode);
  }

  #parentOf(path: ByteString): DirectoryInode {
    const parent = parentPath(path);
    if (parent === this.#lastPath) return this.#lastDirectory;
    const directory = this.#plainDirectory(parent) ?? this.#madeDirectory(parent, path);
    this.#lastPath = parent;
    this.#lastDirectory = directory;
    return directory;
  }

  /** The common case: every component is there and is a directory. */
  #plainDirectory(path: ByteString): DirectoryInode | undefined {
    if (path === ROOT_PATH) return this.#tree.root;
    let directory = this.#tree.root;
    for (let start = 0; ;) {
      const slash = path.indexOf('/', start);
      const name = path.slice(start, slash === -1 ? path.length : slash) as ByteString;
      const child = directory.children.get(name);
      if (child?.type !== 'directory') return undefined;
      if (slash === -1) return child;
      directory = child;
      start = slash + 1;
    }
  }

  #madeDirectory(parent: ByteString, path: ByteString): DirectoryInode {
    const directory = walkPath(this.#tree.root, parent, {
      last: 'directory',
      onMissing: (missing) => this.#makeDirectory(missing, path),
    });
    if (directory?.type !== 'directory') throw danglingParent(path);
    return directory;
  }

  #makeDirectory(missing: MissingDirectory, path: ByteString): DirectoryInode {
    const { parent, name, found, isInLink, depth } = missing;
    if (isInLink) throw danglingParent(path);
    if (found !== undefined && this.#own.has(found)) throw parentNotDirectory(path);
    if (depth + 2 > MAX_DEPTH) throw tooDeep(path);
    const directory = newDirectory();
    this.#replace(parent, name, directory, path);
    return directory;
  }

  #holdsOwn(directory: DirectoryInode): boolean {
    const open = [directory];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (this.#own.has(next)) return true;
      for (const child of next.children.values()) {
        if (child.type === 'directory') open.push(child);
        else if (this.#own.has(child)) return true;
      }
    }
    return false;
  }
}

function setAttributes(directory: DirectoryInode, attributes: InodeAttributes): void {
  directory.mode = attributes.mode;
  directory.uid = attributes.uid;
  directory.gid = attributes.gid;
  directory.mtimeSeconds = attributes.mtimeSeconds;
  directory.mtimeNanoseconds = attributes.mtimeNanoseconds;
  directory.xattrs = attributes.xattrs;
}

/** V8 makes a slice of 13 characters or more a window on the whole string, which a tree would then keep alive. */
function ownCopy(name: ByteString): ByteString {
  return name.length < 13 ? name : byteString(bytesOf(name));
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
