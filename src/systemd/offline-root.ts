// SPDX-License-Identifier: Apache-2.0
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { quote } from '../base/printable.ts';
import { isErrno } from '../base/sysct-error.ts';
import { syncDirectory } from '../sys/durable-file.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import type { HostRoot } from '../sys/host-root.ts';
import { alsoUnits, type EnablementLink, installLinks, UNIT_DIRECTORY } from './install-links.ts';
import type { EnablementChange, UnitEnabler } from './manager.ts';
import { SystemdError } from './systemd-error.ts';
import { UnitError } from './unit-error.ts';

// systemd.unit(5) Table 1, what lasts longer than a boot, highest priority first.
const SEARCH_PATH = [
  UNIT_DIRECTORY,
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Enables and disables units of a root that is not running: only links, no manager. */
export function offlineEnabler(host: HostRoot): UnitEnabler {
  return {
    enable: async (units) => withAlso(host, units).flatMap((unit) => enableUnit(host, unit)),
    disable: async (units) => {
      const found = units.filter((unit) => findUnit(host, unit) !== undefined);
      const names = new Set([...units, ...withAlso(host, found)]);
      return [...names].flatMap((unit) => disableUnit(host, unit));
    },
  };
}

/** `units` and all that their Also= lead to, each once. */
function withAlso(host: HostRoot, units: readonly string[]): readonly string[] {
  const all = new Set(units);
  for (const unit of all)
    for (const also of alsoUnits(unit, readUnit(host, unit).text)) all.add(also);
  return [...all];
}

function enableUnit(host: HostRoot, unit: string): readonly EnablementChange[] {
  const { text, path } = readUnit(host, unit);
  const missing = installLinks(unit, text, path).filter((link) => !isThere(host, unit, link));
  return missing.map(({ path, target }) => {
    const real = host.resolve(path);
    makeDirectories(dirname(real), 0o777);
    symlinkSync(target, real);
    syncDirectory(dirname(real));
    return { kind: 'symlink', path, target };
  });
}

/** @throws SystemdError ENABLE_CONFLICT when something else is at its path. */
function isThere(host: HostRoot, unit: string, { path, target }: EnablementLink): boolean {
  const stat = lstatSync(host.resolve(path), { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const points = stat.isSymbolicLink() ? readlinkSync(host.resolve(path)) : undefined;
  // A distribution may have written the link relative.
  if (points !== undefined && posix.resolve(posix.dirname(path), points) === target) return true;
  throw new SystemdError(
    'ENABLE_CONFLICT',
    `enabling ${unit}: ${quote(path)} exists and is not a link to ${quote(target)}`,
    { hint: `remove ${path} if nobody needs it` },
  );
}

function disableUnit(host: HostRoot, unit: string): readonly EnablementChange[] {
  const changes: EnablementChange[] = [];
  for (const path of linksTo(host, unit)) {
    const real = host.resolve(path);
    unlinkSync(real);
    syncDirectory(dirname(real));
    removeIfEmpty(dirname(real));
    changes.push({ kind: 'unlink', path, target: '' });
  }
  for (const directory of linkDirectories(host, unit)) removeIfEmpty(directory);
  return changes;
}

/** Where enabling puts links: there even when a run was killed before it made, or after it removed, the link. */
function linkDirectories(host: HostRoot, unit: string): readonly string[] {
  try {
    if (findUnit(host, unit) === undefined) return [];
    const { text, path } = readUnit(host, unit);
    return installLinks(unit, text, path).map((link) => dirname(host.resolve(link.path)));
  } catch (error) {
    // What cannot be enabled has made no directories.
    if (error instanceof SystemdError || error instanceof UnitError) return [];
    throw error;
  }
}

/** Links of that name under `*.wants` and its like, and aliases: what systemctl disable removes. */
function linksTo(host: HostRoot, unit: string): readonly string[] {
  const links = (directory: string): string[] =>
    list(host, directory)
      .filter((entry) => entry.isSymbolicLink())
      .map((entry) => posix.join(directory, entry.name));
  const dependencies = list(host, UNIT_DIRECTORY)
    .filter((entry) => entry.isDirectory() && /\.(wants|requires|upholds)$/.test(entry.name))
    .flatMap((entry) => links(posix.join(UNIT_DIRECTORY, entry.name)))
    .filter((path) => basename(path) === unit);
  const aliases = links(UNIT_DIRECTORY).filter(
    (path) => basename(path) !== unit && basename(readlinkSync(host.resolve(path))) === unit,
  );
  return [...dependencies, ...aliases];
}

function list(host: HostRoot, directory: string): ReturnType<typeof readEntries> {
  try {
    return readEntries(host.resolveFollowing(directory));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function readEntries(path: string) {
  return readdirSync(path, { withFileTypes: true });
}

function removeIfEmpty(directory: string): void {
  if (!/\.(wants|requires|upholds)$/.test(directory)) return;
  try {
    rmdirSync(directory);
    syncDirectory(dirname(directory));
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}

/** @throws SystemdError UNIT_NOT_FOUND, UNIT_MASKED */
function readUnit(host: HostRoot, unit: string): { readonly path: string; readonly text: string } {
  const path = findUnit(host, unit);
  if (path === undefined) {
    throw new SystemdError(
      'UNIT_NOT_FOUND',
      `enabling ${unit}: there is no such unit in ${quote(host.directory)}`,
    );
  }
  // In a root that is not booted, /dev/null need not be there to be read.
  const text = isMask(host, path) ? '' : readFileSync(host.resolveFollowing(path), 'utf8');
  if (text === '') {
    throw new SystemdError('UNIT_MASKED', `enabling ${unit}: ${quote(path)} masks it`, {
      hint: `remove ${path}`,
    });
  }
  return { path, text };
}

function findUnit(host: HostRoot, unit: string): string | undefined {
  return SEARCH_PATH.map((directory) => join(directory, unit)).find(
    (path) => lstatSync(host.resolve(path), { throwIfNoEntry: false }) !== undefined,
  );
}

function isMask(host: HostRoot, path: string): boolean {
  const real = host.resolve(path);
  return lstatSync(real).isSymbolicLink() && readlinkSync(real) === '/dev/null';
}
