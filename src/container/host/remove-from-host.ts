// SPDX-License-Identifier: Apache-2.0
import { rmdirSync } from 'node:fs';
import { isErrno } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { undoHostChange } from './apply-host-change.ts';
import type { HostChange } from '../record/host-change.ts';
import { enablerOf, reloadUnits, type ServiceControl } from './service-control.ts';

/** How long a service may take to stop, beyond its own TimeoutStopSec=. */
export const STOP_TIMEOUT_MS = 180_000;

/** What a container has on the host: from its generation, or from the journal of a switch. */
export interface HostPresence {
  readonly name: string;
  readonly generation: number;
  readonly units: readonly string[];
  readonly changes: readonly HostChange[];
}

/**
 * Takes a container off the host: stop, disable, remove what it added (last first), reload, remove
 * its mount points. Idempotent. What an admin edited and directories that hold data stay.
 *
 * @returns the paths that stay, with the reason.
 */
export async function removeFromHost(
  host: HostRoot,
  presence: HostPresence,
  control: ServiceControl,
  signal: AbortSignal,
): Promise<readonly string[]> {
  await stopUnits(presence.units, control, signal);
  const services = presence.units.slice(0, 1);
  await enablerOf(control).disable(services, signal);
  const kept: string[] = [];
  for (const change of presence.changes.toReversed()) {
    const undoing = undoHostChange(host, change);
    if (undoing === 'kept-edited') kept.push(`${change.path}: it was edited`);
    if (undoing === 'kept-not-empty') kept.push(`${change.path}: it is not empty`);
  }
  await reloadUnits(control, signal);
  if (control.kind === 'running') {
    for (const unit of presence.units) await control.manager.resetFailed(unit, signal);
  }
  removeMountPoints(host, presence);
  return kept;
}

async function stopUnits(
  units: readonly string[],
  control: ServiceControl,
  signal: AbortSignal,
): Promise<void> {
  if (control.kind !== 'running') return;
  for (const unit of orderForStop(units)) {
    await control.manager.stop(unit, { timeoutMs: STOP_TIMEOUT_MS, signal });
  }
}

// The service is first in the list, then its mounts in the order they are made: the last must go before the one under it.
function orderForStop(units: readonly string[]): readonly string[] {
  return [...units.slice(0, 1), ...units.slice(1).toReversed()];
}

// Exactly the directories that systemd made for the mounts: nothing below them is ever touched.
function removeMountPoints(host: HostRoot, presence: HostPresence): void {
  const container = `/run/sysct/${presence.name}`;
  const generation = `${container}/${presence.generation}`;
  for (const path of [`${generation}/rootfs`, `${generation}/meta`, generation, container]) {
    try {
      rmdirSync(host.resolve(path));
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EROFS'))
        throw error;
    }
  }
}
