// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { MountDescription } from '../sys/mount.ts';
import type { LaunchWith } from './exec-values.ts';
import type { HostFacts } from './host-facts.ts';
import type { MountPoint } from './mount-points.ts';
import type { Privileges } from './privileges.ts';

/** Everything that decides how one generation of a container is launched. */
export interface LaunchRequest {
  /** The container's name; its service is `NAME.service`. */
  readonly name: string;
  readonly how: LaunchWith;
  /** As the image gives it, parsed; or made by `runtimeConfigFromImage`. */
  readonly config: RuntimeConfig;
  /** The image's own unit, rendered; undefined when it ships none. */
  readonly serviceText: string | undefined;
  /** `KillSignal=` where the unit does not say: the image's StopSignal. */
  readonly stopSignal: string | undefined;
  /** The generation's directory on the host, which will hold config.json. */
  readonly bundle: string;
  /** Where the root is while the service runs: the last mount's `where`, or the plain tree. */
  readonly rootfs: string;
  /** The mounts that make the root, in order; empty for a plain tree. */
  readonly mounts: readonly MountDescription[];
  /** The store's directory, `/var/lib/sysct`. */
  readonly store: string;
  readonly facts: HostFacts;
  readonly order: LaunchOrder;
  readonly provenance: Provenance;
}

/** Full unit names. */
export interface LaunchOrder {
  /** The container daemons of the settings: everything starts before them, unless the unit says After= one. */
  readonly daemons: readonly string[];
  /** From `--before`, `--after`, `--requires`. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly requires: readonly string[];
}

/** What the unit's [X-Sysct] section says. */
export interface Provenance {
  readonly image: string;
  readonly digest: string;
  readonly generation: number;
  /** One line: the policy rule that admitted it. */
  readonly policy: string;
}

export interface LaunchPlan {
  /** The service first, then its mounts, in the order they are needed. */
  readonly units: readonly { readonly name: string; readonly text: string }[];
  /** The text of BUNDLE/config.json; undefined for chroot. */
  readonly configText: string | undefined;
  /** What must exist in the root: give it to the EROFS writer. */
  readonly mountPoints: readonly MountPoint[];
  /** Host paths that the container binds, for tmpfiles of those that are missing. */
  readonly bindSources: readonly BindSource[];
  /** Full names, as the finished unit has them: for the cycle check and for the record. */
  readonly order: {
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly requires: readonly string[];
  };
  /** What the container runs, for `list`. */
  readonly command: readonly string[];
  readonly privileges: Privileges;
  /** What was changed to make it run here, one line each. */
  readonly notes: readonly string[];
}

export interface BindSource {
  readonly path: string;
  /** Who the container runs as: the owner a missing source should get. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * Turns an image's config and unit into the files that launch it on this host. Pure.
 *
 * @throws LaunchError UNSUPPORTED_BY_LAUNCHER (naming everything), INVALID_SERVICE, NAME_UNUSABLE, NO_COMMAND
 */
export function planLaunch(request: LaunchRequest): LaunchPlan {
  throw new Error(`being written: ${request.name}`);
}
