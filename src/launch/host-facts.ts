// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';

/** What launching depends on, of the host that will run the container. */
export interface HostFacts {
  /** `CAP_…` names that services of this host can hold. */
  readonly capabilities: ReadonlySet<string>;
  readonly selinuxEnabled: boolean;
  /** `systemctl --version`: 252; undefined when it cannot be told. */
  readonly systemdVersion: number | undefined;
}

/** Reads them; an offline root is taken to be booted by a kernel that knows every capability we know. */
export async function readHostFacts(host: HostRoot, signal: AbortSignal): Promise<HostFacts> {
  signal.throwIfAborted();
  throw new Error(`being written: ${host.directory}`);
}
