// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import { inKernelOrder } from './capability.ts';

/** What a container may do to its host, for people to read before they install it. */
export interface Privileges {
  readonly uid: number;
  readonly gid: number;
  /** Of the bounding set, in the kernel's order. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly hostMounts: readonly HostMount[];
  /** Device rules that allow, as `c 10:200 rw`; `a *:* rwm` for all devices. */
  readonly devices: readonly string[];
  /** Namespaces that it shares with the host: `network`, `pid`, … */
  readonly sharedNamespaces: readonly string[];
}

export interface HostMount {
  readonly source: string;
  readonly destination: string;
  readonly writable: boolean;
}

const NAMESPACES = ['network', 'pid', 'ipc', 'uts', 'mount', 'user', 'cgroup'];

/** The privileges that a config gives. Pure. */
export function privilegesOf({ process, mounts, linux }: RuntimeConfig): Privileges {
  const own = new Set((linux?.namespaces ?? []).map(({ type }) => type));
  return {
    uid: process?.user?.uid ?? 0,
    gid: process?.user?.gid ?? 0,
    capabilities: inKernelOrder(process?.capabilities?.bounding ?? []),
    noNewPrivileges: process?.noNewPrivileges === true,
    hostMounts: (mounts ?? []).filter(isBind).map((mount) => ({
      source: mount.source ?? '',
      destination: mount.destination,
      writable: !(mount.options ?? []).includes('ro'),
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
    sharedNamespaces: NAMESPACES.filter((type) => !own.has(type)),
  };
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
