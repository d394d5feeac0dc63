// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import type { RuntimeConfig, RuntimeLinux, RuntimeProcess } from '../oci/runtime-config.ts';
import { escapeSpecifiers, quoteEnvironment, quoteUnitWord } from '../systemd/unit-quote.ts';
import { UnitError } from '../systemd/unit-error.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { rlimitDirectives } from './rlimit-directives.ts';
import { deviceDirectives } from './chroot-devices.ts';
import { hasPrivateDev, mountDirectives, propagationOf } from './chroot-mounts.ts';
import type { Directive } from './edit-unit.ts';
import type { HostFacts } from './host-facts.ts';

// A service in a chroot is systemd's alone: what a runtime would do, RootDirectory= and its kin do. Each
// member of the config becomes a directive, or is refused by name: nothing is dropped.

/** The one that sysct supports; for hosts that do not tell theirs. */
const OLDEST_SYSTEMD = 247;

/** Directives for [Service] that are lists; all others have one value. */
export const LIST_DIRECTIVES: ReadonlySet<string> = new Set([
  'BindPaths',
  'BindReadOnlyPaths',
  'DeviceAllow',
  'Environment',
  'InaccessiblePaths',
  'ReadOnlyPaths',
  'TemporaryFileSystem',
]);

/**
 * The [Service] directives that run an adapted config in its root, but for ExecStart=; what this
 * host's systemd cannot do goes to `log` as refused. Pure.
 */
export function chrootDirectives(
  config: RuntimeConfig,
  facts: HostFacts,
  log: AdaptationLog,
): readonly Directive[] {
  const { process = {}, linux = {}, mounts = [] } = config;
  refuseOthers(config, log);
  refuseUnknownIds(process, facts, log);
  const isPrivate = hasPrivateDev(mounts);
  const propagation = propagationOf(mounts);
  return [
    one('RootDirectory', escapeSpecifiers(config.root?.path ?? '/')),
    one('MountAPIVFS', 'yes'),
    ...(isPrivate ? [one('PrivateDevices', 'yes')] : []),
    ...(propagation === undefined ? [] : [one('MountFlags', propagation)]),
    ...processDirectives(process, isPrivate, log),
    ...mountDirectives(mounts, log),
    ...namespaceDirectives(linux, facts.systemdVersion ?? OLDEST_SYSTEMD, log),
    ...deviceDirectives(linux.resources?.devices ?? [], log),
    ...(linux.maskedPaths ?? []).map((path) => one('InaccessiblePaths', optional(path))),
    ...(linux.readonlyPaths ?? []).map((path) => one('ReadOnlyPaths', optional(path))),
  ];
}

// systemd looks even numbers up before it enters the root, and fails with 217/USER where it finds none.
function refuseUnknownIds({ user }: RuntimeProcess, facts: HostFacts, log: AdaptationLog): void {
  const { uid = 0, gid = 0, additionalGids = [] } = user ?? {};
  if (uid !== 0 && !facts.uids.has(uid)) log.refuse(`process.user: this host has no user ${uid}`);
  for (const id of new Set([gid, ...additionalGids])) {
    if (id !== 0 && !facts.gids.has(id)) log.refuse(`process.user: this host has no group ${id}`);
  }
}

function processDirectives(
  process: RuntimeProcess,
  isPrivateDev: boolean,
  log: AdaptationLog,
): readonly Directive[] {
  const { user = { uid: 0, gid: 0 }, args = [], env = [], cwd = '/' } = process;
  const path = env.findLast((setting) => setting.startsWith('PATH='))?.slice('PATH='.length);
  const isRoot = user.uid === 0 && user.gid === 0;
  const groups = user.additionalGids ?? [];
  return [
    one('WorkingDirectory', escapeSpecifiers(cwd)),
    ...(args[0]?.includes('/') === false && path !== undefined
      ? [one('ExecSearchPath', escapeSpecifiers(path))]
      : []),
    ...(isRoot ? [] : [one('User', String(user.uid)), one('Group', String(user.gid))]),
    ...(groups.length === 0 ? [] : [one('SupplementaryGroups', groups.join(' '))]),
    ...(user.umask === undefined ? [] : [one('UMask', octal(user.umask))]),
    ...env.flatMap((setting) => environment(setting, log)),
    ...capabilityDirectives(process, isPrivateDev, log),
    ...(process.noNewPrivileges === true ? [one('NoNewPrivileges', 'yes')] : []),
    ...rlimitDirectives(process.rlimits ?? [], log),
    ...(process.oomScoreAdj === undefined
      ? []
      : [one('OOMScoreAdjust', String(process.oomScoreAdj))]),
    ...(process.selinuxLabel === undefined
      ? []
      : [one('SELinuxContext', escapeSpecifiers(process.selinuxLabel))]),
    ...(process.apparmorProfile === undefined || process.apparmorProfile === ''
      ? []
      : [one('AppArmorProfile', escapeSpecifiers(process.apparmorProfile))]),
  ];
}

// Root gets its bounding set at execve(2), whatever the other sets say; others get the ambient set.
function capabilityDirectives(
  { capabilities = {}, user }: RuntimeProcess,
  isPrivateDev: boolean,
  log: AdaptationLog,
): readonly Directive[] {
  const bounding = capabilities.bounding ?? [];
  for (const name of isPrivateDev ? ['CAP_MKNOD', 'CAP_SYS_RAWIO'] : []) {
    if (bounding.includes(name)) log.refuse(`process.capabilities: ${name} with a private /dev`);
  }
  const ambient = (user?.uid ?? 0) === 0 ? [] : (capabilities.ambient ?? []);
  return [
    one('CapabilityBoundingSet', bounding.join(' ')),
    ...(ambient.length === 0 ? [] : [one('AmbientCapabilities', ambient.join(' '))]),
  ];
}

function environment(setting: string, log: AdaptationLog): readonly Directive[] {
  const equals = setting.indexOf('=');
  try {
    const name = equals === -1 ? setting : setting.slice(0, equals);
    return [one('Environment', quoteEnvironment(name, setting.slice(name.length + 1)))];
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    log.refuse(`process.env: ${quote(setting)}`);
    return [];
  }
}

// Namespace → the directive that gives one of its own, and the first systemd that has it.
const NAMESPACES: Readonly<Record<string, readonly [key: string, since: number]>> = {
  network: ['PrivateNetwork', 247],
  ipc: ['PrivateIPC', 248],
  uts: ['ProtectHostname', 247],
  pid: ['PrivatePIDs', 257],
};
const JOINED: Readonly<Record<string, readonly [key: string, since: number]>> = {
  network: ['NetworkNamespacePath', 247],
  ipc: ['IPCNamespacePath', 248],
};

function namespaceDirectives(
  { namespaces = [] }: RuntimeLinux,
  systemdVersion: number,
  log: AdaptationLog,
): readonly Directive[] {
  return namespaces.flatMap(({ type, path }) => {
    const joins = path !== undefined && path !== '';
    if (type === 'mount' && !joins) return [];
    const [key, since] = (joins ? JOINED : NAMESPACES)[type] ?? ['', Number.POSITIVE_INFINITY];
    if (systemdVersion < since) {
      const needs = Number.isFinite(since) ? ` (systemd ${since} can)` : '';
      log.refuse(`linux.namespaces: ${type}${joins ? ' with a path' : ''}${needs}`);
      return [];
    }
    return [one(key, joins ? escapeSpecifiers(path) : 'yes')];
  });
}

// Everything else that a config may say and that means something.
const TOP = new Set(['ociVersion', 'process', 'root', 'mounts', 'linux', 'annotations']);
const PROCESS = new Set([
  ...['terminal', 'user', 'args', 'env', 'cwd', 'capabilities', 'rlimits', 'noNewPrivileges'],
  ...['selinuxLabel', 'apparmorProfile', 'oomScoreAdj'],
]);
const LINUX = new Set([
  ...['namespaces', 'resources', 'maskedPaths', 'readonlyPaths', 'cgroupsPath', 'mountLabel'],
  'rootfsPropagation',
]);

function refuseOthers(config: RuntimeConfig, log: AdaptationLog): void {
  const refuse = (prefix: string, object: object, known: ReadonlySet<string>): void => {
    for (const [key, value] of Object.entries(object)) {
      if (!known.has(key) && !isEmpty(value)) log.refuse(`${prefix}${key}`);
    }
  };
  refuse('', config, TOP);
  refuse('process.', config.process ?? {}, PROCESS);
  refuse('linux.', config.linux ?? {}, LINUX);
  const propagation = config.linux?.rootfsPropagation ?? '';
  if (/shared/.test(propagation)) log.refuse(`linux.rootfsPropagation: ${propagation}`);
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === '' || (typeof value === 'object' && isEmptyObject(value ?? {}))
  );
}

function isEmptyObject(value: object): boolean {
  return Object.keys(value).length === 0;
}

function one(key: string, value: string): Directive {
  return { key, value };
}

// `-`: it need not be there. `+`: inside RootDirectory=; without it, systemd means the host's own.
function optional(path: string): string {
  return quoteUnitWord(`-+${path}`);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
