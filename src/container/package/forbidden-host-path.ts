// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { PackageError } from './package-error.ts';
import { tmpfilesLines } from './tmpfiles-lines.ts';

// What the kernel makes.
const KERNEL = ['/proc', '/sys', '/dev'];

// What is sysct's own, and what decides which images are admitted: an image must not change what
// judges images.
const JUDGES = [
  '/run/sysct',
  '/etc/sysct',
  '/usr/lib/sysct',
  '/etc/containers/policy.json',
  '/etc/containers/registries.conf',
  '/etc/containers/registries.conf.d',
  '/etc/containers/registries.d',
  '/etc/containers/certs.d',
  '/etc/containers/auth.json',
  '/etc/docker/certs.d',
  '/root/.config/containers',
  '/root/.docker',
  '/root/.dockercfg',
];

// Room for what we put around a name while we write it (`.NAME.sysctnew.sysct~`), and before a path (--root).
const MAX_NAME_BYTES = 255 - '..sysctnew.sysct~'.length;
const MAX_PATH_BYTES = 3072;

/** Passes when a host can have files of these names. @throws PackageError FORBIDDEN_HOST_PATH */
export function assertHostPathLengths(paths: readonly string[]): void {
  const tooLong = paths.find(
    (path) =>
      Buffer.byteLength(path) > MAX_PATH_BYTES ||
      path.split('/').some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES),
  );
  if (tooLong === undefined) return;
  throw new PackageError(
    'FORBIDDEN_HOST_PATH',
    `the image brings a host file whose name is too long: ${quote(tooLong)}`,
    { hint: 'choose other values with --set if it comes from them, or ask the image author' },
  );
}

/** A path that an image wants to have on the host; `/etc/containers` may be a directory, but nothing else. */
export interface WantedPlace {
  /** Absolute. */
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Passes when an image may write all these host paths.
 *
 * @param places as the image says them and as they are with the host's links resolved.
 * @throws PackageError FORBIDDEN_HOST_PATH that names each of those it may not.
 */
export function assertAllowedHostPaths(
  places: readonly WantedPlace[],
  stores: readonly string[],
): void {
  refuse(
    places,
    [...KERNEL, ...JUDGES, ...stores],
    'the image brings host files that no image may',
  );
}

/**
 * Passes when none of the lines of an image's tmpfiles.d(5) file is about what judges images, or a
 * store. (What systemd-tmpfiles reaches through links that other lines make is not seen here.)
 *
 * @throws PackageError FORBIDDEN_HOST_PATH that names each of those that are.
 */
export function assertAllowedTmpfiles(text: string, stores: readonly string[]): void {
  const places = tmpfilesLines(text).map(({ type, path }) => ({
    path,
    isDirectory: !/^[fFwpLcbCRrDZTAH]/.test(type),
  }));
  refuse(places, [...JUDGES, ...stores], 'the image has tmpfiles.d lines that no image may');
}

/**
 * Passes when none of the directories that an image's volumes get is in a store, as those of a
 * container that is called as the own store is (`sysct`) would be.
 *
 * @throws PackageError FORBIDDEN_HOST_PATH that names each of those that are.
 */
export function assertVolumesOutsideStore(
  paths: readonly string[],
  stores: readonly string[],
): void {
  const places = paths.map((path) => ({ path, isDirectory: true }));
  refuse(places, stores, 'volumes of the image would lie in the store; it needs another --name');
}

function refuse(
  places: readonly WantedPlace[],
  forbidden: readonly string[],
  reason: string,
): void {
  const refused = places.filter(({ path, isDirectory }) =>
    forbidden.some(
      (place) => isOrLiesUnder(path, place) || (!isDirectory && isOrLiesUnder(place, path)),
    ),
  );
  if (refused.length === 0) return;
  const named = [...new Set(refused.map(({ path }) => quote(path)))].join(', ');
  throw new PackageError('FORBIDDEN_HOST_PATH', `${reason}: ${named}`, {
    hint: 'choose other values with --set if the paths come from them, or ask the image author',
  });
}

/** Either may have wildcards. */
function isOrLiesUnder(path: string, place: string): boolean {
  const top = path.split('/').slice(0, place.split('/').length).join('/');
  return top === place || posix.matchesGlob(place, top) || posix.matchesGlob(top, place);
}
