// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { bytesOf, type ByteString, displayBytes } from '../../base/byte-string.ts';
import { quote } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { syncFileSystem } from '../../sys/durable-file.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import type { FileInode, InlineContent, ObjectContent } from '../tree/inode.ts';
import { makeNodes, restoreXattrs, touchExactly } from './plain-tree-batch.ts';
import { type Omissions, omissionLines, omit } from './plain-tree-omissions.ts';
import { type Tree, walkTree, type WalkedEntry } from '../tree/tree.ts';

export interface PlainTreeSources {
  readInline(content: InlineContent): Uint8Array;
  /** Makes the file `to`, which does not exist, with the object's bytes. */
  copyObject(content: ObjectContent, to: Buffer): void;
}

export interface PlainTreeReport {
  readonly inodes: number;
  /** What the directory lacks of the tree, one line a kind: `owner of 12 files, "bin" first: needs root`. Empty for root on a common file system. */
  readonly omissions: readonly string[];
}

/**
 * Writes `tree` into `directory`, which must exist, be empty, and be reachable by nobody else until
 * this is done. No path it opens has a symbolic link in it: directories first, symbolic links last.
 * Durable on return. What the file system or the caller's rights cannot give is reported, not
 * fatal; anything half written after an error is the caller's to remove.
 *
 * @throws CheckoutError NOT_EMPTY, or TREE_NOT_REPRESENTABLE for paths too long to open
 */
export async function writePlainTree(
  tree: Tree,
  directory: string,
  sources: PlainTreeSources,
  signal: AbortSignal,
): Promise<PlainTreeReport> {
  const target = new PlainTarget(directory);
  const entries = [...walkTree(tree)];
  for (const { path } of entries) target.assertFits(path);
  const omissions: Omissions = new Map();
  const firsts = entries.filter(({ linkOf }) => linkOf === undefined);

  await each(firsts, signal, ({ path, inode }) => {
    if (inode.type === 'directory' && path !== '') mkdirSync(target.of(path), { mode: 0o700 });
  });
  await each(firsts, signal, ({ path, inode }) => {
    if (inode.type === 'file') writeContent(inode, target.of(path), sources);
  });
  const missing = await makeNodes(firsts, directory, omissions, signal);
  await each(entries, signal, ({ path, inode, linkOf }) => {
    if (linkOf === undefined || inode.type === 'symlink' || missing.has(linkOf)) return;
    linkSync(target.of(linkOf), target.of(path));
  });
  await each(entries, signal, ({ path, inode, linkOf }) => {
    if (inode.type !== 'symlink') return;
    if (linkOf === undefined) symlinkSync(bytesOf(inode.target), target.of(path));
    else linkSync(target.of(linkOf), target.of(path));
  });

  const written = firsts.filter(({ path }) => !missing.has(path));
  await dress(written, target, omissions, signal);
  await syncFileSystem(directory);
  return { inodes: written.length, omissions: omissionLines(omissions) };
}

/**
 * Gives the inodes their attributes. The order is what chown and chmod need: chown clears setuid
 * and file capabilities, a file's mode may forbid setting xattrs, and a directory's mode reaching
 * what is in it; so directories are left open to their writer until the end.
 */
async function dress(
  written: readonly WalkedEntry[],
  target: PlainTarget,
  omissions: Omissions,
  signal: AbortSignal,
): Promise<void> {
  const directories = written.filter(({ inode }) => inode.type === 'directory').reverse();
  const others = written.filter(({ inode }) => inode.type !== 'directory');
  await each(others, signal, (entry) => setOwner(entry, target, omissions));
  await restoreXattrs(written, target.directory, omissions, signal);
  await each(others, signal, ({ path, inode }) => {
    if (inode.type !== 'symlink') chmodSync(target.of(path), inode.mode);
  });
  await each(written, signal, ({ path, inode }) => {
    lutimesSync(target.of(path), inode.mtimeSeconds, inode.mtimeSeconds);
  });
  await touchExactly(written, target.directory, signal);
  await each(directories, signal, (entry) => {
    setOwner(entry, target, omissions);
    chmodSync(target.of(entry.path), entry.inode.mode);
  });
}

// PATH_MAX counts the closing NUL.
const MAX_PATH_BYTES = 4095;
const BETWEEN_PAUSES = 512;

class PlainTarget {
  readonly directory: string;
  readonly #prefix: Buffer;

  constructor(directory: string) {
    this.directory = directory;
    if (readdirSync(directory).length > 0) {
      throw new CheckoutError(
        'NOT_EMPTY',
        `writing a tree into ${quote(directory)}: the directory is not empty`,
      );
    }
    this.#prefix = Buffer.from(`${directory}/`);
  }

  of(path: ByteString): Buffer {
    return Buffer.concat([this.#prefix, bytesOf(path)]);
  }

  assertFits(path: ByteString): void {
    if (this.#prefix.length + path.length <= MAX_PATH_BYTES) return;
    throw new CheckoutError(
      'TREE_NOT_REPRESENTABLE',
      `writing ${quote(displayBytes(path))}: its path has more than ${MAX_PATH_BYTES} bytes`,
    );
  }
}

async function each<T>(
  items: readonly T[],
  signal: AbortSignal,
  act: (item: T) => void,
): Promise<void> {
  for (const [index, item] of items.entries()) {
    if (index % BETWEEN_PAUSES === 0) await setImmediate();
    signal.throwIfAborted();
    act(item);
  }
}

function writeContent(inode: FileInode, path: Buffer, sources: PlainTreeSources): void {
  const { content } = inode;
  // Mount points that a generation adds are empty files of no layer, and no object.
  if (content.sizeBytes === 0) {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    return;
  }
  if (content.kind === 'inline') {
    writeFileSync(path, sources.readInline(content), { flag: 'wx', mode: 0o600 });
    return;
  }
  sources.copyObject(content, path);
  // The copy has the object's mode, which forbids all but root to set xattrs.
  if (inode.xattrs.size > 0) chmodSync(path, 0o600);
}

function setOwner({ path, inode }: WalkedEntry, target: PlainTarget, omissions: Omissions): void {
  try {
    lchownSync(target.of(path), inode.uid, inode.gid);
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EINVAL')) throw error;
    omit(omissions, 'owner', error.code === 'EPERM' ? 'needs root' : 'no such user here', path);
  }
}
