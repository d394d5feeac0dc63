// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';

export interface UnitText {
  /** Full name: `etcd.service`. */
  readonly name: string;
  readonly text: string;
}

/**
 * What `systemd-analyze verify` has against units that are about to be written, one line each; empty
 * when it has nothing, or when the host has no systemd-analyze. Only these units are judged, not the
 * ones they name; executables that lie inside a `RootDirectory=` are not looked for on the host.
 *
 * @throws SystemdError VERIFY_FAILED when the tool itself cannot run.
 */
export async function verifyUnits(
  host: HostRoot,
  units: readonly UnitText[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  throw new Error(`being written: ${host.directory} ${units.length}`);
}
