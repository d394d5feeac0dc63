// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig } from '../oci/runtime-config.ts';

/** What a container may do to its host, for people to read before they install it. */
export interface Privileges {
  readonly uid: number;
  readonly gid: number;
  /** Of the bounding set, in the kernel's order. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly hostMounts: readonly {
    readonly source: string;
    readonly destination: string;
    readonly writable: boolean;
  }[];
  /** Device rules that allow, as `c 10:200 rw`; `a *:* rwm` for all devices. */
  readonly devices: readonly string[];
  /** Namespaces that it shares with the host: `network`, `pid`, … */
  readonly sharedNamespaces: readonly string[];
}

/** The privileges that a config gives. Pure. */
export function privilegesOf(config: RuntimeConfig): Privileges {
  throw new Error(`being written: ${config.ociVersion}`);
}
