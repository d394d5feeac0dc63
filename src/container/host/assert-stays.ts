// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { SystemdManager, UnitState } from '../../systemd/manager.ts';
import { ContainerError } from '../record/container-error.ts';

/** How long a service is watched after its start, and how often it is looked at. */
const WATCH_MS = 1000;
const LOOK_EVERY_MS = 100;

/**
 * Watches a service that systemd calls started for a second more: all that `Type=exec` says is that the
 * runtime was executed, and a command that is not in the image fails a moment later.
 *
 * @throws ContainerError START_FAILED when it has failed or is being started again by then.
 */
export async function assertStays(
  manager: SystemdManager,
  unit: string,
  signal: AbortSignal,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < WATCH_MS; waitedMs += LOOK_EVERY_MS) {
    const state = await manager.unitState(unit, signal);
    if (hasFailed(state)) {
      const { result = 'failed', execMainStatus = 0 } = state.service ?? {};
      throw new ContainerError(
        'START_FAILED',
        `starting ${unit}: it ended at once (${result}, status ${execMainStatus})`,
      );
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function hasFailed({ active, sub, service }: UnitState): boolean {
  return active === 'failed' || sub === 'auto-restart' || (service?.restarts ?? 0) > 0;
}
