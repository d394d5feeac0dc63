// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';
import { type Digest, digestFromHex } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';

/** What planning wants to know of the host's files. */
export interface HostView {
  /** What is at a host path, its last component not followed; undefined for nothing. */
  look(path: string): HostEntry | undefined;
  /** The path with the symbolic links among its parents resolved: two paths are one file when these are equal. */
  canonical(path: string): string;
}

export type HostEntry =
  /** `mode` is the low twelve bits. The digest is worked out when asked for. */
  | { readonly kind: 'file'; readonly mode: number; readonly digest: () => Digest }
  | { readonly kind: 'directory' }
  | {
      readonly kind: 'symlink';
      readonly target: string;
      readonly leadsTo: 'directory' | 'other' | undefined;
    }
  | { readonly kind: 'other' };

export function hostView(host: HostRoot): HostView {
  return {
    look: (path) => look(host, path),
    canonical: (path) => host.hostPathOf(host.resolve(path)),
  };
}

function look(host: HostRoot, path: string): HostEntry | undefined {
  const real = host.resolve(path);
  const stat = statOrAbsent(() => lstatSync(real, { throwIfNoEntry: false }));
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return { kind: 'directory' };
  if (stat.isFile()) return { kind: 'file', mode: stat.mode & 0o7777, digest: () => digest(real) };
  if (!stat.isSymbolicLink()) return { kind: 'other' };
  const end = statOrAbsent(() => statSync(host.resolveFollowing(path), { throwIfNoEntry: false }));
  const leadsTo = end === undefined ? undefined : end.isDirectory() ? 'directory' : 'other';
  return { kind: 'symlink', target: readlinkSync(real), leadsTo };
}

// A parent that is a file means that nothing is below it; and nothing has a name that is too long.
function statOrAbsent<T>(stat: () => T): T | undefined {
  try {
    return stat();
  } catch (error) {
    if (isErrno(error, 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

const CHUNK_BYTES = 1024 * 1024;

function digest(path: string): Digest {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (let count = readSync(fd, chunk); count > 0; count = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
  return digestFromHex(hash.digest('hex'));
}
