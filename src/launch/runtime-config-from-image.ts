// SPDX-License-Identifier: Apache-2.0
import type { ExecutionConfig } from '../oci/image-config.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';

export interface PlainImage {
  readonly execution: ExecutionConfig;
  /** The text of the image's /etc/passwd and /etc/group; undefined when it has none. */
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

export interface PlainImageTarget {
  /** The container's name. */
  readonly name: string;
  /** The host's directory for state, usually `/var/lib`: volumes live in `STATE/NAME/…`. */
  readonly stateDirectory: string;
  readonly launcher: 'runc' | 'chroot';
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

/**
 * A least-privilege config for an image that knows nothing of system containers: read-only root,
 * the host's network, own PID, IPC, UTS and mount namespaces, podman's default capabilities, private
 * /dev, tmpfs on /tmp and /run, the host's resolv.conf and hosts, no new privileges.
 *
 * @throws LaunchError NO_COMMAND, USER_NOT_FOUND
 */
export function runtimeConfigFromImage(
  image: PlainImage,
  target: PlainImageTarget,
): PlainImageConfig {
  throw new Error(`being written: ${image.execution.user} ${target.name}`);
}
