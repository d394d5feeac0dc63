// SPDX-License-Identifier: Apache-2.0
import { lstatSync, rmdirSync, rmSync } from 'node:fs';
import { isErrno } from '../base/sysct-error.ts';
import type { HostRoot } from '../sys/host-root.ts';

/** Those of `paths` that are not there yet: what a container's tmpfiles would make. */
export function missingPaths(host: HostRoot, paths: readonly string[]): readonly string[] {
  return paths.filter(
    (path) => lstatSync(host.resolve(path), { throwIfNoEntry: false }) === undefined,
  );
}

/**
 * Removes the directories of a container's state where they are empty, deepest first.
 * @returns those that hold data.
 */
export function removeStateDirectories(
  host: HostRoot,
  paths: readonly string[],
): readonly string[] {
  return deepestFirst(paths).filter((path) => {
    try {
      rmdirSync(host.resolve(path));
      return false;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY')) return true;
      throw error;
    }
  });
}

/** Removes the directories of a container's state with all data in them. */
export function purgeStateDirectories(host: HostRoot, paths: readonly string[]): void {
  for (const path of deepestFirst(paths))
    rmSync(host.resolve(path), { recursive: true, force: true });
}

function deepestFirst(paths: readonly string[]): readonly string[] {
  return paths.toSorted((a, b) => b.length - a.length);
}
