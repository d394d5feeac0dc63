// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runChecked } from './process.ts';

/** Content that is to get a name: in a temporary file beside it until {@link commit}. */
class StagedFile implements Disposable {
  readonly fd: number;
  readonly temporary: string;
  readonly #path: string;
  #isThere = true;

  constructor(path: string, bytes: string | Uint8Array) {
    this.#path = path;
    this.temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    this.fd = openSync(this.temporary, 'wx', 0o600);
    try {
      writeFileSync(this.fd, bytes);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  commit(): void {
    fsyncSync(this.fd);
    renameSync(this.temporary, this.#path);
    this.#isThere = false;
    syncDirectory(dirname(this.#path));
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
    if (this.#isThere) unlinkSync(this.temporary);
  }
}

/**
 * Replaces `path` with `bytes`, so that after a power cut it has either its old or its new content:
 * temporary file beside it, fsync, rename, fsync of the directory. The mode is exact, whatever the umask.
 */
export function writeFileDurably(path: string, bytes: string | Uint8Array, mode: number): void {
  using staged = new StagedFile(path, bytes);
  fchmodSync(staged.fd, mode);
  staged.commit();
}

/**
 * As {@link writeFileDurably}, for a file that is there: it keeps its owner, mode and ACL, and by way of cp(1) its extended attributes,
 * those left out that the kernel does not let this process set (in a container on a host with SELinux: the label).
 */
export async function replaceFileDurably(path: string, bytes: Uint8Array): Promise<void> {
  const { mode, uid, gid } = lstatSync(path);
  using staged = new StagedFile(path, bytes);
  // chown takes setuid bits away, so it comes first.
  fchownSync(staged.fd, uid, gid);
  fchmodSync(staged.fd, mode & 0o7777);
  // `all` is what makes cp pass over attributes that it may not set.
  const attributes = ['--attributes-only', '--preserve=all', '--no-preserve=timestamps', '--'];
  await runChecked('cp', [...attributes, path, staged.temporary]);
  staged.commit();
}

/** Removes what dead writers of `path` left beside it. To be called with a lock held that they all hold while they write. */
export function removeDeadTemporaries(path: string): void {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(directory)) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length)))
      unlinkSync(join(directory, name));
  }
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes everything written to the file system that holds `path` durable: syncfs(2), by way of sync(1). */
export async function syncFileSystem(path: string): Promise<void> {
  await runChecked('sync', ['--file-system', path]);
}
