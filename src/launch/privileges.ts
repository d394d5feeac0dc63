// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import { inKernelOrder } from './capability.ts';

/** What a container may do to its host, for people to read before they install it. */
export interface Privileges {
  readonly uid: number;
  readonly gid: number;
  /** Of any of the five sets, in the kernel's order: which of them count is up to runtime and kernel. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** Binds, and mounts of file systems that are not the kernel's own. */
  readonly hostMounts: readonly HostMount[];
  /** Device rules that allow, as `c 10:200 rw`; `a *:* rwm` for all devices. */
  readonly devices: readonly string[];
  /** Namespaces that it shares with the host, or joins: `network`, `pid of /proc/1/ns/pid`, … */
  readonly sharedNamespaces: readonly string[];
  /** What runs outside the container, as root: the config's hooks, and the unit's lines of the image's own. */
  readonly hostCommands: readonly string[];
}

export interface HostMount {
  readonly source: string;
  readonly destination: string;
  readonly writable: boolean;
}

const NAMESPACES = ['network', 'pid', 'ipc', 'uts', 'mount', 'user', 'cgroup'];

// They show what the kernel has for this container, or nothing but what is put into them.
const KERNEL_FILE_SYSTEMS = new Set([
  'proc',
  'sysfs',
  'tmpfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
]);

/** The privileges that a config gives, and a unit with `unitCommands` that run on the host. Pure. */
export function privilegesOf(
  { process, mounts, linux, hooks }: RuntimeConfig,
  unitCommands: readonly string[],
): Privileges {
  const namespaces = linux?.namespaces ?? [];
  return {
    uid: process?.user?.uid ?? 0,
    gid: process?.user?.gid ?? 0,
    capabilities: inKernelOrder(Object.values(process?.capabilities ?? {}).flat()),
    noNewPrivileges: process?.noNewPrivileges === true,
    hostMounts: (mounts ?? []).filter(showsHost).map((mount) => ({
      source: sourceOf(mount),
      destination: mount.destination,
      // The last one counts, as for the runtimes.
      writable: (mount.options ?? []).findLast((option) => /^r[ow]$/.test(option)) !== 'ro',
    })),
    devices: [
      ...(linux?.resources?.devices ?? [])
        .filter(({ allow }) => allow)
        .map(
          ({ type, major, minor, access }) =>
            `${type ?? 'a'} ${number(major)}:${number(minor)} ${access ?? 'rwm'}`,
        ),
      ...(linux?.devices ?? []).map(
        ({ path, type, major, minor }) => `${path} (${type} ${number(major)}:${number(minor)})`,
      ),
    ],
    sharedNamespaces: NAMESPACES.flatMap((type) => {
      const own = namespaces.find((namespace) => namespace.type === type);
      if (own === undefined) return [type];
      return own.path === undefined || own.path === '' ? [] : [`${type} of ${own.path}`];
    }),
    hostCommands: [...hookCommands(hooks).map((command) => `hook ${command}`), ...unitCommands],
  };
}

/** The programs of a config's hooks, with their arguments. */
export function hookCommands(hooks: RuntimeConfig['hooks']): readonly string[] {
  const lists = typeof hooks === 'object' && hooks !== null ? Object.values(hooks) : [];
  return lists.flat().map((hook) => {
    const { path, args } = (hook ?? {}) as { readonly path?: unknown; readonly args?: unknown };
    const rest: readonly unknown[] = Array.isArray(args) ? args.slice(1) : [];
    return [path, ...rest].map(String).join(' ');
  });
}

function showsHost(mount: RuntimeMount): boolean {
  return isBind(mount) || !KERNEL_FILE_SYSTEMS.has(mount.type ?? '');
}

/** A path of the host; `ext4 of /dev/sda1` for others, with the options that may name more of it. */
function sourceOf(mount: RuntimeMount): string {
  const { source = '', type = '', options = [] } = mount;
  if (isBind(mount)) return source;
  const named = options.filter((option) => option.includes('='));
  return [`${type} of ${source}`, ...named].join(' ');
}

/** True for mounts of a path of the host, however they say it. */
export function isBind({ type, options }: RuntimeMount): boolean {
  return (
    type === 'bind' ||
    type === 'rbind' ||
    (options ?? []).some((option) => option === 'bind' || option === 'rbind')
  );
}

function number(value: number | undefined): string {
  return value === undefined || value < 0 ? '*' : String(value);
}
