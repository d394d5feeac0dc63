// SPDX-License-Identifier: Apache-2.0
import { lstatSync, rmdirSync, rmSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';

/**
 * Those of `paths` that are not there yet: what a container's tmpfiles would make. With the links among
 * their parents resolved: whoever finds others there later knows that the path has come to mean another place.
 */
export function missingPaths(host: HostRoot, paths: readonly string[]): readonly string[] {
  const real = new Set(paths.map((path) => host.resolve(path)));
  return [...real]
    .filter((path) => lstatSync(path, { throwIfNoEntry: false }) === undefined)
    .map((path) => host.hostPathOf(path));
}

/**
 * Those above `paths` that are not there yet and not among them: systemd-tmpfiles makes the parents of
 * what it is told to make.
 */
export function missingParents(host: HostRoot, paths: readonly string[]): readonly string[] {
  const parents = new Set(paths.flatMap(parentsOf).filter((parent) => !paths.includes(parent)));
  return missingPaths(host, [...parents]);
}

/**
 * Removes the directories of a container's state where they are empty, deepest first, and then the
 * `parents` that were made for them.
 * @returns those of `paths` that hold data.
 */
export function removeStateDirectories(
  host: HostRoot,
  paths: readonly string[],
  parents: readonly string[] = [],
): readonly string[] {
  const kept = deepestFirst(paths).filter((path) => !removeIfEmpty(host, path));
  for (const parent of deepestFirst(parents)) removeIfEmpty(host, parent);
  return kept;
}

/**
 * Removes the directories of a container's state with all data in them. Those that links, which were
 * not there before, now put elsewhere stay: the data there is not the container's.
 */
export function purgeStateDirectories(host: HostRoot, paths: readonly string[]): void {
  for (const path of deepestFirst(paths).filter((path) => isSamePlace(host, path)))
    rmSync(host.resolve(path), { recursive: true, force: true });
}

function isSamePlace(host: HostRoot, path: string): boolean {
  return host.hostPathOf(host.resolve(path)) === path;
}

/** False when it holds something. */
function removeIfEmpty(host: HostRoot, path: string): boolean {
  if (!isSamePlace(host, path)) return true;
  try {
    rmdirSync(host.resolve(path));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return true;
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY')) return false;
    throw error;
  }
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    parents.push(path.slice(0, end));
  return parents;
}

function deepestFirst(paths: readonly string[]): readonly string[] {
  return paths.toSorted((a, b) => b.length - a.length);
}
