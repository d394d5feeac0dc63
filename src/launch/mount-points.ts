// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import { isBind } from './privileges.ts';

/** A path that must exist in the read-only root before something is mounted on it. */
export interface MountPoint {
  /** Absolute inside the root, normalised, without a trailing slash. */
  readonly path: string;
  readonly kind: 'directory' | 'file';
}

/** What a host path is, where the host or the image can tell. */
export type KindOfBind = (source: string, destination: string) => MountPoint['kind'] | undefined;

const ALWAYS = ['/proc', '/sys', '/dev', '/run', '/tmp'];

// For hosts that do not have them (yet), and images that do not either.
const USUAL_FILES: ReadonlySet<string> = new Set([
  '/dev/log',
  '/dev/console',
  '/dev/fuse',
  '/dev/kmsg',
  '/dev/rtc',
  '/dev/net/tun',
  '/etc/group',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/localtime',
  '/etc/machine-id',
  '/etc/os-release',
  '/etc/passwd',
  '/etc/resolv.conf',
  '/etc/shadow',
  '/run/systemd/notify',
]);

/**
 * What must exist in the root of a container with this config: the places of its mounts, but for
 * those that lie inside another mount, where the runtime can make them; its working directory; and
 * what every runtime mounts. `more` are directories that the launcher needs besides. Pure.
 */
export function mountPointsOf(
  config: RuntimeConfig,
  more: readonly string[],
  kindOf: KindOfBind,
): readonly MountPoint[] {
  const mounts = config.mounts ?? [];
  const destinations = mounts.map(({ destination }) => destination);
  const isInsideOne = (path: string): boolean =>
    destinations.some((other) => path.startsWith(`${other}/`));
  const points = new Map<string, MountPoint['kind']>();
  for (const path of [...ALWAYS, config.process?.cwd ?? '/', ...more]) {
    points.set(posix.resolve('/', path), 'directory');
  }
  for (const mount of mounts) points.set(mount.destination, kindOfPlace(mount, kindOf));
  return [...points]
    .filter(([path]) => path !== '/' && !isInsideOne(path))
    .map(([path, kind]) => ({ path, kind }));
}

function kindOfPlace(mount: RuntimeMount, kindOf: KindOfBind): MountPoint['kind'] {
  const { source = '', destination } = mount;
  if (!isBind(mount)) return 'directory';
  return kindOf(source, destination) ?? (USUAL_FILES.has(source) ? 'file' : 'directory');
}
