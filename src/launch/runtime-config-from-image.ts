// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../base/printable.ts';
import type { ExecutionConfig } from '../oci/image-config.ts';
import type { RuntimeConfig, RuntimeMount, RuntimeProcess } from '../oci/runtime-config.ts';
import { DEFAULT_CAPABILITIES } from './capability.ts';
import { DEFAULT_MOUNTS, MASKED_PATHS, READONLY_PATHS } from './default-mounts.ts';
import { type AccountFiles, type ImageUser, resolveImageUser } from './image-user.ts';
import { LaunchError } from './launch-error.ts';

export interface PlainImage extends AccountFiles {
  readonly execution: ExecutionConfig;
}

export interface PlainImageTarget {
  /** The container's name. */
  readonly name: string;
  /** The host's directory for state, usually `/var/lib`: volumes live in `STATE/NAME/…`. */
  readonly stateDirectory: string;
  readonly launcher: 'runc' | 'chroot';
  /** What the host has; a file that it lacks cannot be bound. Without it, it has all. */
  readonly hostHas?: (path: string) => boolean;
}

/** A directory on the host that holds what the image declared as a volume. */
export interface VolumeDirectory {
  /** Host path. */
  readonly path: string;
  /** Where the container sees it. */
  readonly destination: string;
  readonly uid: number;
  readonly gid: number;
}

export interface PlainImageConfig {
  readonly config: RuntimeConfig;
  readonly volumes: readonly VolumeDirectory[];
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Of the host's network, which the container shares, and which these files describe. */
const HOST_NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts'];

/**
 * A least-privilege config for an image that knows nothing of system containers: read-only root, the
 * host's network, podman's default capabilities (for root; other users get none), private /dev, tmpfs
 * on /tmp and /run, the host's resolv.conf and hosts, no new privileges, volumes in state directories.
 * By runc it has PID, IPC, UTS and mount namespaces of its own; in a chroot only those that every
 * systemd can give: mount and IPC.
 *
 * @throws LaunchError NO_COMMAND, USER_NOT_FOUND
 */
export function runtimeConfigFromImage(
  image: PlainImage,
  target: PlainImageTarget,
): PlainImageConfig {
  const { execution } = image;
  const account = resolveImageUser(execution.user, image);
  const volumes = volumesOf(execution.volumes, account, target);
  const types = target.launcher === 'runc' ? ['pid', 'ipc', 'uts', 'mount'] : ['ipc', 'mount'];
  const config: RuntimeConfig = {
    ociVersion: '1.0.2',
    process: processOf(execution, account, target.name),
    root: { path: 'rootfs', readonly: true },
    mounts: [
      ...DEFAULT_MOUNTS,
      // Before the files, which a volume on /etc would hide.
      ...volumes.map(({ path, destination }) => bind(path, destination, 'rw')),
      ...HOST_NETWORK_FILES.filter(target.hostHas ?? (() => true)).map((path) =>
        bind(path, path, 'ro'),
      ),
    ],
    linux: {
      namespaces: types.map((type) => ({ type })),
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      maskedPaths: [...MASKED_PATHS],
      readonlyPaths: [...READONLY_PATHS],
    },
    ...(target.launcher === 'runc' ? { hostname: hostnameOf(target.name) } : {}),
  };
  return { config, volumes };
}

function processOf(
  execution: ExecutionConfig,
  { user, home }: ImageUser,
  name: string,
): RuntimeProcess {
  const args = [...execution.entrypoint, ...execution.cmd];
  if (args.length === 0 || args[0] === '') {
    throw new LaunchError(
      'NO_COMMAND',
      `planning ${quote(name)}: the image has neither Entrypoint nor Cmd`,
      { hint: 'the image needs one, or /exports/config.json' },
    );
  }
  // A user other than root has none unless they are ambient, and nothing says that it needs any.
  const capabilities = user.uid === 0 ? [...DEFAULT_CAPABILITIES] : [];
  return {
    terminal: false,
    user,
    args,
    env: environmentOf(execution.env, home),
    cwd: execution.workingDir === '' ? '/' : posix.resolve('/', execution.workingDir),
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
    },
    noNewPrivileges: true,
  };
}

/** The last one of a name counts; PATH and HOME are always there, as under podman. */
function environmentOf(settings: readonly string[], home: string): string[] {
  const variables = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOME', home],
  ]);
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    if (equals > 0) variables.set(setting.slice(0, equals), setting.slice(equals + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function volumesOf(
  declared: readonly string[],
  { user }: ImageUser,
  { name, stateDirectory }: PlainImageTarget,
): readonly VolumeDirectory[] {
  const destinations = declared.map((path) => posix.resolve('/', path));
  return [...new Set(destinations)]
    .filter((destination) => destination !== '/')
    .toSorted()
    .map((destination) => ({
      path: posix.join(stateDirectory, name, destination),
      destination,
      uid: user.uid,
      gid: user.gid,
    }));
}

function bind(source: string, destination: string, access: 'ro' | 'rw'): RuntimeMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', access] };
}

/** hostname(7): letters, digits and hyphens, at most 63 of them. */
function hostnameOf(name: string): string {
  const fit = name
    .replace(/[^A-Za-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return fit === '' ? 'container' : fit;
}
