// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { PackageError } from './package-error.ts';

// What the kernel makes, what is sysct's own, and what decides which images are admitted: an image
// must not change what judges images.
const FORBIDDEN = [
  '/proc',
  '/sys',
  '/dev',
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

/**
 * Passes when an image may write all these host paths.
 *
 * @param paths absolute, as the image says them and as they are with the host's links resolved.
 * @throws PackageError FORBIDDEN_HOST_PATH that names each of those it may not.
 */
export function assertAllowedHostPaths(paths: readonly string[], store: string): void {
  const forbidden = [...FORBIDDEN, store];
  const refused = paths.filter((path) => forbidden.some((place) => isOrLiesUnder(path, place)));
  if (refused.length === 0) return;
  throw new PackageError(
    'FORBIDDEN_HOST_PATH',
    `the image brings host files that no image may: ${[...new Set(refused)].map(quote).join(', ')}`,
    { hint: 'choose other values with --set if the paths come from them, or ask the image author' },
  );
}

function isOrLiesUnder(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}
