// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isErrno } from '../base/sysct-error.ts';
import type { HostRoot } from '../sys/host-root.ts';
import { CAPABILITIES, capabilitiesOfMask } from './capability.ts';

/** What launching depends on, of the host that will run the container. */
export interface HostFacts {
  /** `CAP_…` names that services of this host can hold, in the kernel's order. */
  readonly capabilities: ReadonlySet<string>;
  readonly selinuxEnabled: boolean;
  /** 252; undefined when it cannot be told. */
  readonly systemdVersion: number | undefined;
  /** Of the users and groups that its own files list: the only ones that systemd starts services as. */
  readonly uids: ReadonlySet<number>;
  readonly gids: ReadonlySet<number>;
}

/** Reads them; an offline root is taken to be booted by a kernel that knows every capability we know. */
export async function readHostFacts(host: HostRoot, signal: AbortSignal): Promise<HostFacts> {
  signal.throwIfAborted();
  return {
    capabilities: new Set(host.isRunningHost ? boundingSetOfInit() : CAPABILITIES),
    selinuxEnabled: host.isRunningHost ? existsSync('/sys/fs/selinux/enforce') : configured(host),
    systemdVersion: systemdVersionOf(host),
    uids: idsIn(host, '/etc/passwd'),
    gids: idsIn(host, '/etc/group'),
  };
}

// Services are children of PID 1, whatever the shell that sysct was called from was allowed.
function boundingSetOfInit(): readonly string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/1/status', 'utf8'))?.[1];
  return capabilitiesOfMask(mask ?? '0');
}

// selinux(8): without the file, or with `disabled` in it, the host boots without SELinux.
function configured(host: HostRoot): boolean {
  return /^\s*SELINUX=(enforcing|permissive)\b/m.test(textOf(host, '/etc/selinux/config'));
}

// The third field, in both.
function idsIn(host: HostRoot, path: string): ReadonlySet<number> {
  const fields = textOf(host, path)
    .split('\n')
    .map((line) => line.split(':')[2] ?? '');
  return new Set(fields.filter((field) => /^\d+$/.test(field)).map(Number));
}

function textOf(host: HostRoot, path: string): string {
  try {
    return readFileSync(host.resolveFollowing(path), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}

// By the name of its shared library, which carries the version on every distribution: works for
// roots that cannot be run, and needs no process.
function systemdVersionOf(host: HostRoot): number | undefined {
  const library = 'systemd/libsystemd-shared-*.so';
  const found = ['/usr/lib', '/usr/lib64', '/lib'].flatMap((directory) =>
    globSync([library, `*-linux-*/${library}`], { cwd: host.resolveFollowing(directory) }),
  );
  const versions = found.map((path) => Number(/-(\d+)/.exec(basename(path))?.[1] ?? Number.NaN));
  return versions.find((version) => Number.isInteger(version));
}
