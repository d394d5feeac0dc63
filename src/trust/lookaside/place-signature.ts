// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printable, quote } from '../../base/printable.ts';
import { isErrno, messageOf, UsageError } from '../../base/sysct-error.ts';
import { LIMITS } from '../../oci/limits.ts';
import { syncDirectory } from '../../sys/durable-file.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { TrustError } from '../verdict/trust-error.ts';

/**
 * Puts a signature into `directory` as the first `PREFIXsignature-N` that is free, whole or not at all, durably. Others that
 * sign at the same moment get numbers of their own. The directory is made where it is missing.
 * @returns the path of the file
 * @throws UsageError where no such directory can be, or nothing may be written there
 * @throws TrustError SIGNATURES_UNREADABLE when no number is free that readers would look at
 */
export function placeSignature(directory: string, prefix: string, bytes: Buffer): string {
  const temporary = join(directory, `.signature-${randomBytes(6).toString('hex')}.tmp`);
  const fd = openNew(directory, temporary);
  try {
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    for (let n = 1; n <= LIMITS.signaturesPerImage; n += 1) {
      const path = join(directory, `${prefix}signature-${n}`);
      if (!linkIfFree(temporary, path)) continue;
      syncDirectory(directory);
      return path;
    }
  } finally {
    unlinkSync(temporary);
  }
  throw new TrustError(
    'SIGNATURES_UNREADABLE',
    `${printable(directory)} holds ${LIMITS.signaturesPerImage} signatures, and no more are read`,
    { hint: 'remove those that are not needed any more' },
  );
}

function openNew(directory: string, path: string): number {
  try {
    makeDirectories(directory, 0o755);
    return openSync(path, 'wx', 0o644);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'EEXIST', 'EACCES', 'EPERM', 'EROFS')) throw cause;
    throw new UsageError(
      `writing a signature into ${quote(directory)}: ${printable(messageOf(cause))}`,
      { cause, hint: 'name a directory that can be written to with --lookaside' },
    );
  }
}

// Unlike a rename, a link never replaces what is there.
function linkIfFree(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}
