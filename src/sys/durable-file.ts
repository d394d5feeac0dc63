// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { runChecked } from './process.ts';

/**
 * Replaces `path` with `bytes`, so that after a power cut it has either its old or its new content:
 * temporary file beside it, fsync, rename, fsync of the directory. The mode is exact, whatever the umask.
 * @param owner whose the file becomes; of this process where absent
 */
export function writeFileDurably(
  path: string,
  bytes: string | Uint8Array,
  mode: number,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(fd, bytes);
    // chown takes setuid bits away, so it comes first.
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } catch (error) {
    closeSync(fd);
    unlinkSync(temporary);
    throw error;
  }
  closeSync(fd);
  try {
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
  syncDirectory(dirname(path));
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
