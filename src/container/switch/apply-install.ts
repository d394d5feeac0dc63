// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { createTmpfiles } from '../../systemd/tmpfiles.ts';
import { applyHostChange } from '../host/apply-host-change.ts';
import { assertStays } from '../host/assert-stays.ts';
import { buildGeneration } from './build-generation.ts';
import { ContainerDirectory } from '../record/container-directory.ts';
import { ContainerError } from '../record/container-error.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { hostFailure } from '../host/host-failure.ts';
import type { InstallPlan } from '../plan/install-plan.ts';
import { enablerOf, reloadUnits, type ServiceControl } from '../host/service-control.ts';
import { removeFromHost } from '../host/remove-from-host.ts';
import { removeStateDirectories } from '../host/state-directories.ts';
import { writeJournal } from './switch-journal.ts';

/** How long a service may take to come up before the install is given up. */
const START_TIMEOUT_MS = 600_000;

/**
 * Carries out a plan, whole or not at all:
 *
 *   build the generation → journal → host files and units → reload → tmpfiles → enable → (start)
 *   → point `current` at it → forget the journal
 *
 * What fails before `current` points at the new generation is undone here; what is killed there is
 * undone by the next run ({@link ./recover-switches.ts}). The caller holds the lock of all switches.
 *
 * @throws ContainerError START_FAILED when the service was to be started and did not come up.
 */
export async function applyInstall(
  plan: InstallPlan,
  parts: ContainerParts,
  control: ServiceControl,
  startNow: 'start' | 'leave',
): Promise<void> {
  const { generation } = plan;
  const directory = new ContainerDirectory(parts.containersPath, generation.name);
  try {
    parts.progress({ kind: 'stage', stage: 'switching', subject: generation.name });
    await build(plan, directory, parts);
    writeJournal(directory.path, {
      version: 1,
      action: 'install',
      generation: generation.number,
      units: generation.units,
      changes: plan.changes,
      stateDirectories: generation.stateDirectories,
      stateParents: generation.stateParents,
    });
    await changeHost(plan, parts, control);
    if (startNow === 'start') await start(plan, parts, control);
    parts.signal.throwIfAborted();
    directory.pointCurrentAt(generation.number);
  } catch (error) {
    await undo(plan, directory, parts, control, error);
    throw error;
  }
  directory.finishSwitch();
}

async function build(
  plan: InstallPlan,
  directory: ContainerDirectory,
  parts: ContainerParts,
): Promise<void> {
  try {
    await buildGeneration(plan, directory, parts);
  } catch (error) {
    throw hostFailure(`installing ${plan.generation.name}: building ${directory.path}`, error);
  }
}

async function changeHost(
  plan: InstallPlan,
  parts: ContainerParts,
  control: ServiceControl,
): Promise<void> {
  for (const change of plan.changes) {
    parts.signal.throwIfAborted();
    const content = await plan.contents.get(change.path)?.();
    try {
      applyHostChange(parts.host, change, content);
    } catch (error) {
      const doing = `installing ${plan.generation.name}: writing ${quote(change.path)}`;
      throw hostFailure(doing, error);
    }
  }
  if (plan.generation.units.length > 0) {
    await reloadUnits(control, parts.signal);
    await enablerOf(control).enable(plan.generation.units.slice(0, 1), parts.signal);
  }
  // Enabling an offline root's service is all that can be done; its first boot runs tmpfiles itself.
  if (plan.tmpfilesPath !== undefined && control.kind === 'running') {
    await createTmpfiles(parts.host, plan.tmpfilesPath, parts.signal);
  }
}

async function start(
  plan: InstallPlan,
  parts: ContainerParts,
  control: ServiceControl,
): Promise<void> {
  const [service] = plan.generation.units;
  if (service === undefined || control.kind !== 'running') return;
  parts.progress({ kind: 'stage', stage: 'starting', subject: plan.generation.name });
  try {
    await control.manager.start(service, { timeoutMs: START_TIMEOUT_MS, signal: parts.signal });
    await assertStays(control.manager, service, parts.signal);
  } catch (cause) {
    parts.signal.throwIfAborted();
    const reason = `${messageOf(cause)}; the host is as it was before the install`;
    throw new ContainerError('START_FAILED', reason, {
      cause,
      hint: `journalctl -u ${service} tells why`,
    });
  }
}

// Undoing must not stop half-way because the user interrupts again: it has a signal of its own.
async function undo(
  plan: InstallPlan,
  directory: ContainerDirectory,
  parts: ContainerParts,
  control: ServiceControl,
  error: unknown,
): Promise<void> {
  const { signal } = new AbortController();
  const { name, number, units, stateDirectories, stateParents } = plan.generation;
  try {
    const presence = { name, generation: number, units, changes: plan.changes };
    if (directory.isSwitching()) {
      await removeFromHost(parts.host, presence, control, signal);
      removeStateDirectories(parts.host, stateDirectories, stateParents);
    }
    directory.remove();
  } catch (undoError) {
    const failures = [error, undoError];
    const message = `installing ${name}: ${messageOf(error)}; and undoing it: ${messageOf(undoError)}`;
    throw new ContainerError('CONTAINER_BROKEN', message, {
      cause: new AggregateError(failures),
      hint: `put right what is named last, then run sysct uninstall ${name}`,
    });
  }
}
