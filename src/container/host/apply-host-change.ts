// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory } from '../../sys/durable-file.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import type { HostChange } from '../record/host-change.ts';

/** Makes one change on the host, durably. Parents exist: they are changes of their own. */
export function applyHostChange(
  host: HostRoot,
  change: HostChange,
  content: Buffer | undefined,
): void {
  const path = host.resolve(change.path);
  switch (change.kind) {
    case 'directory':
      makeDirectory(path, change);
      break;
    case 'file':
      writeFile(path, content ?? Buffer.alloc(0), change);
      break;
    case 'symlink':
      makeSymlink(path, change.target);
      break;
  }
  syncDirectory(dirname(path));
}

/** How undoing a change went: what is not ours any more stays. */
export type Undoing = 'removed' | 'absent' | 'kept-edited' | 'kept-not-empty';

/** Takes one change back, if the host still has it as we made it. */
export function undoHostChange(host: HostRoot, change: HostChange): Undoing {
  const path = host.resolve(change.path);
  if (change.kind !== 'directory') removeIfPresent(temporaryFor(path));
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'absent';
  switch (change.kind) {
    case 'directory':
      return stat.isDirectory() ? removeDirectory(path) : 'kept-edited';
    case 'file':
      if (!stat.isFile() || sha256(readFileSync(path)) !== change.digest) return 'kept-edited';
      break;
    case 'symlink':
      if (!stat.isSymbolicLink() || readlinkSync(path) !== change.target) return 'kept-edited';
      break;
  }
  unlinkSync(path);
  syncDirectory(dirname(path));
  return 'removed';
}

// One fixed name a path: a killed run's leftover is found again by whoever undoes or repeats the change.
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.sysct~`);
}

function removeIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // A name too long for a file is of none, and must not keep a switch from being undone.
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) throw error;
  }
}

function makeDirectory(path: string, change: HostChange & { kind: 'directory' }): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else made it since the plan: then it is theirs, attributes and all.
    if (isErrno(error, 'EEXIST')) return;
    throw error;
  }
  lchownSync(path, change.uid, change.gid);
  chmodSync(path, change.mode);
}

function writeFile(path: string, content: Buffer, change: HostChange & { kind: 'file' }): void {
  const temporary = temporaryFor(path);
  removeIfPresent(temporary);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(fd, content);
    // Owner before mode: chown clears setuid.
    fchownSync(fd, change.uid, change.gid);
    fchmodSync(fd, change.mode);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

function makeSymlink(path: string, target: string): void {
  const temporary = temporaryFor(path);
  removeIfPresent(temporary);
  symlinkSync(target, temporary);
  try {
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

function removeDirectory(path: string): Undoing {
  try {
    rmdirSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY')) return 'kept-not-empty';
    throw error;
  }
  syncDirectory(dirname(path));
  return 'removed';
}
