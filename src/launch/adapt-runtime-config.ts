// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../base/printable.ts';
import type { RuntimeConfig, RuntimeLinux, RuntimeProcess } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { adaptCapabilities } from './adapt-capabilities.ts';
import { adaptMounts } from './adapt-mounts.ts';
import type { Directive } from './edit-unit.ts';
import type { HostFacts } from './host-facts.ts';
import { LaunchError } from './launch-error.ts';
import { hookCommands } from './privileges.ts';
import { resourceDirectives } from './resource-directives.ts';
import { rlimitDirectives, splitRlimits } from './rlimit-directives.ts';

/** What every runtime of the field reads, whatever minor version of the spec it was written for. */
const OCI_VERSION = '1.0.2';

export interface AdaptationTarget {
  readonly facts: HostFacts;
  /** Where the root is on the host while the service runs. */
  readonly rootfs: string;
}

export interface AdaptedConfig {
  readonly config: RuntimeConfig;
  /** Limits, for the [Service] section. */
  readonly limits: readonly Directive[];
}

/**
 * Fits a config to the host, for any launcher: it is made to run where it only needs what is not there
 * by the letter, and what cannot be had goes to `log` as refused. Pure.
 *
 * @throws LaunchError NO_COMMAND
 */
export function adaptRuntimeConfig(
  config: RuntimeConfig,
  target: AdaptationTarget,
  log: AdaptationLog,
): AdaptedConfig {
  const { platform: _, ...rest } = config;
  // Drafts before 1.0 are refused by some runtimes, later minor versions by others.
  if (!/^1\.\d+\.\d+$/.test(config.ociVersion)) {
    log.note(`ociVersion ${quote(config.ociVersion)} written as ${OCI_VERSION}`);
  }
  if (config.root?.readonly === false) log.note('the root is read-only here');
  for (const hook of hookCommands(config['hooks']))
    log.note(`a hook runs on the host: ${quote(hook)}`);
  const limits = [
    ...rlimitDirectives(splitRlimits(config.process?.rlimits ?? []).ofUnit, log),
    ...resourceDirectives(config.linux?.resources ?? {}, log),
  ];
  const adapted: RuntimeConfig = {
    ...rest,
    ociVersion: OCI_VERSION,
    process: adaptProcess(config.process ?? {}, target.facts, log),
    root: { ...config.root, path: target.rootfs, readonly: true },
    mounts: [...adaptMounts(config.mounts ?? [], log)],
    linux: adaptLinux(config.linux ?? {}, target.facts, log),
  };
  return { config: withPossibleHostname(adapted, log), limits };
}

function adaptProcess(
  process: RuntimeProcess,
  facts: HostFacts,
  log: AdaptationLog,
): RuntimeProcess {
  const { selinuxLabel, terminal, consoleSize: _, rlimits = [], ...rest } = process;
  if (process.args?.[0] === undefined || process.args[0] === '') {
    throw new LaunchError('NO_COMMAND', 'the config has nothing in process.args', {
      hint: 'the image needs a command in its config.json',
    });
  }
  if (terminal === true) log.note('a service has no terminal: process.terminal is false here');
  const keepsLabel = selinuxLabel !== undefined && selinuxLabel !== '' && facts.selinuxEnabled;
  if (selinuxLabel !== undefined && selinuxLabel !== '' && !facts.selinuxEnabled) {
    log.note(`SELinux is off on this host: the label ${quote(selinuxLabel)} is left out`);
  }
  const { ofPayload } = splitRlimits(rlimits);
  return {
    ...rest,
    ...(ofPayload.length === 0 ? {} : { rlimits: [...ofPayload] }),
    terminal: false,
    user: process.user ?? { uid: 0, gid: 0 },
    cwd: posix.resolve('/', process.cwd ?? '/'),
    capabilities: adaptCapabilities(process.capabilities ?? {}, facts.capabilities, log),
    ...(keepsLabel ? { selinuxLabel } : {}),
  };
}

function adaptLinux(linux: RuntimeLinux, facts: HostFacts, log: AdaptationLog): RuntimeLinux {
  const { mountLabel, resources, cgroupsPath, namespaces = [], ...rest } = linux;
  if (cgroupsPath !== undefined && cgroupsPath !== '') {
    log.note(`linux.cgroupsPath ${quote(cgroupsPath)} is left out: the unit has a control group`);
  }
  const hasMount = namespaces.some(({ type }) => type === 'mount');
  if (!hasMount) log.note('a mount namespace added: the root is read-only');
  return {
    ...rest,
    namespaces: hasMount ? namespaces : [...namespaces, { type: 'mount' }],
    ...(resources?.devices === undefined ? {} : { resources: { devices: resources.devices } }),
    ...(mountLabel !== undefined && facts.selinuxEnabled ? { mountLabel } : {}),
  };
}

// Without a UTS namespace of its own it would rename the host; runtimes refuse that.
function withPossibleHostname(config: RuntimeConfig, log: AdaptationLog): RuntimeConfig {
  const { hostname, domainname: _, ...rest } = config;
  if (hostname === undefined || hostname === '') return rest;
  if (config.linux?.namespaces?.some(({ type }) => type === 'uts') === true) return config;
  log.note(`the host's UTS namespace is shared: the hostname ${quote(hostname)} is left out`);
  return rest;
}
