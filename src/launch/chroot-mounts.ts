// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import type { RuntimeMount } from '../oci/runtime-config.ts';
import { quoteUnitWord } from '../systemd/unit-quote.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import type { Directive } from './edit-unit.ts';
import { isBind } from './privileges.ts';

// What MountAPIVFS= brings: /proc, /sys and /dev of the host, an empty /run; with PrivateDevices= a
// /dev of its own. So these need no directive, or only one that takes away.

/** Do the mounts ask for a /dev of the container's own? */
export function hasPrivateDev(mounts: readonly RuntimeMount[]): boolean {
  return mounts.some((mount) => mount.destination === '/dev' && !isBind(mount));
}

/**
 * The directives that make the mounts of a config, for a service in a chroot; what systemd cannot do is
 * refused by name. Pure.
 *
 */
export function mountDirectives(
  mounts: readonly RuntimeMount[],
  log: AdaptationLog,
): readonly Directive[] {
  return mounts.flatMap((mount, n) => {
    const where = `mounts[${n}] (${mount.destination})`;
    if (isBind(mount)) return bindDirective(mount, where, log);
    return fileSystemDirective(mount, where, log);
  });
}

/** `MountFlags=` for the whole unit: private if every bind wants to be, else the host's mounts come in. */
export function propagationOf(mounts: readonly RuntimeMount[]): 'private' | undefined {
  const binds = mounts.filter(isBind);
  const isPrivate = ({ options = [] }: RuntimeMount): boolean =>
    options.some((option) => option === 'private' || option === 'rprivate');
  return binds.length > 0 && binds.every(isPrivate) ? 'private' : undefined;
}

const TIMES = ['atime', 'noatime', 'relatime', 'norelatime', 'strictatime', 'nodiratime'];
const BIND_OPTIONS = new Set([
  ...['bind', 'rbind', 'ro', 'rw', 'private', 'rprivate', 'slave', 'rslave'],
  ...['suid', 'dev', 'exec', ...TIMES],
]);

function bindDirective(
  { source = '', destination, options = [] }: RuntimeMount,
  where: string,
  log: AdaptationLog,
): readonly Directive[] {
  for (const option of options) {
    if (option === 'shared' || option === 'rshared') {
      log.refuse(`${where}: ${option} (its mounts cannot reach the host)`);
    } else if (!BIND_OPTIONS.has(option)) log.refuse(`${where}: option ${quote(option)} of a bind`);
  }
  if (destination === '/dev' && source === '/dev') return [];
  if ([source, destination].some((path) => path.includes(':'))) {
    log.refuse(`${where}: a path with a colon`);
  }
  const recursion = options.includes('rbind') ? 'rbind' : 'norbind';
  return [
    {
      key: options.includes('ro') ? 'BindReadOnlyPaths' : 'BindPaths',
      value: quoteUnitWord(`${source}:${destination}:${recursion}`),
    },
  ];
}

// What is in /dev already, by MountAPIVFS= or PrivateDevices=.
const IN_DEV: Readonly<Record<string, string>> = {
  '/dev': 'tmpfs',
  '/dev/pts': 'devpts',
  '/dev/mqueue': 'mqueue',
};

function fileSystemDirective(
  mount: RuntimeMount,
  where: string,
  log: AdaptationLog,
): readonly Directive[] {
  const { destination, type = '', options = [] } = mount;
  if (IN_DEV[destination] === type) return [];
  const isReadOnly = options.includes('ro');
  switch (type) {
    case 'proc':
      if (destination !== '/proc') log.refuse(`${where}: proc elsewhere than at /proc`);
      return isReadOnly ? [readOnly('/proc')] : [];
    case 'sysfs':
      if (destination !== '/sys') log.refuse(`${where}: sysfs elsewhere than at /sys`);
      return isReadOnly ? [readOnly('/sys')] : [];
    case 'cgroup':
    case 'cgroup2':
      if (destination !== '/sys/fs/cgroup') log.refuse(`${where}: cgroup elsewhere`);
      return isReadOnly ? [readOnly('/sys/fs/cgroup')] : [];
    case 'tmpfs':
      return [{ key: 'TemporaryFileSystem', value: temporary(mount, where, log) }];
    default:
      log.refuse(`${where}: type ${quote(type)}`);
      return [];
  }
}

// `+`: inside RootDirectory=; without it, systemd means the host's own.
function readOnly(path: string): Directive {
  return { key: 'ReadOnlyPaths', value: `+${path}` };
}

const TMPFS_OPTIONS =
  /^(?:(?:no)?(?:suid|dev|exec)|r[ow]|(?:mode|size|nr_inodes|uid|gid)=[\w%]+|(?:no|rel|norel|strict)?atime|nodiratime)$/;
const PROPAGATION = /^r?(?:private|slave)$/;

function temporary(
  { destination, options = [] }: RuntimeMount,
  where: string,
  log: AdaptationLog,
): string {
  const kept = options.filter((option) => !PROPAGATION.test(option));
  for (const option of kept) {
    if (!TMPFS_OPTIONS.test(option)) log.refuse(`${where}: option ${quote(option)} of a tmpfs`);
  }
  const place = destination.includes(':') ? '' : destination;
  if (place === '') log.refuse(`${where}: a path with a colon`);
  return quoteUnitWord(kept.length === 0 ? place : `${place}:${kept.join(',')}`);
}
