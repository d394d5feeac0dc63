// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { quote } from '../base/printable.ts';
import { isErrno, SysctError } from '../base/sysct-error.ts';

export class HostPathError extends SysctError<'HOST_PATH'> {}

const MAX_LINKS = 40;

/**
 * The root that sysct works on: `/`, or the directory given with `--root`. All host paths in the
 * program are absolute *inside* that root and become real paths only here, with symbolic links
 * resolved as the booted host would resolve them, so that an offline root whose links are absolute
 * is never left.
 */
export class HostRoot {
  /** Absolute, without a trailing slash; `/` for the running host. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = posix.resolve(directory);
  }

  get isRunningHost(): boolean {
    return this.directory === '/';
  }

  /**
   * The real path of `hostPath`, whose parents' symbolic links are followed inside the root.
   * The last component is not followed; neither it nor its parents need exist.
   */
  resolve(hostPath: string): string {
    return this.#walk(hostPath, false);
  }

  /** As {@link resolve}, following the last component too. */
  resolveFollowing(hostPath: string): string {
    return this.#walk(hostPath, true);
  }

  /** The path inside the root of a real path that lies in it. */
  hostPathOf(realPath: string): string {
    if (this.directory === '/') return realPath;
    return `/${posix.relative(this.directory, realPath)}`;
  }

  #walk(hostPath: string, followLast: boolean): string {
    if (!hostPath.startsWith('/') || hostPath.includes('\0')) {
      throw new HostPathError('HOST_PATH', `host path ${quote(hostPath)} is not absolute`);
    }
    const pending = hostPath.split('/').filter((part) => part !== '' && part !== '.');
    let resolved: string[] = [];
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '..') {
        resolved.pop();
        continue;
      }
      const real = posix.join(this.directory, ...resolved, part);
      const target = pending.length > 0 || followLast ? linkTarget(real) : undefined;
      if (target === undefined) {
        resolved.push(part);
        continue;
      }
      links += 1;
      if (links > MAX_LINKS)
        throw new HostPathError(
          'HOST_PATH',
          `host path ${quote(hostPath)} has too many symbolic links`,
        );
      if (target.startsWith('/')) resolved = [];
      pending.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
    }
    return posix.join(this.directory, ...resolved);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
  } catch (error) {
    // Images choose paths, too: what no file can be called is no link.
    if (isErrno(error, 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}
