// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { FileLock } from '../../sys/flock.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { ContainerDirectory, containerNames } from '../record/container-directory.ts';
import { ContainerError } from '../record/container-error.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { removeFromHost } from '../host/remove-from-host.ts';
import { removeStateDirectories } from '../host/state-directories.ts';
import type { ServiceControl } from '../host/service-control.ts';
import { readJournal } from './switch-journal.ts';

/**
 * Takes the lock under which containers are switched, and first puts right what a killed switch left:
 * an unfinished install is undone, an unfinished uninstall is finished. Whoever holds the lock knows
 * that no other switch is under way.
 */
export async function lockSwitches(
  parts: ContainerParts,
  control: ServiceControl,
): Promise<FileLock> {
  makeDirectories(parts.containersPath, 0o700);
  const lock = await FileLock.acquire(
    join(parts.containersPath, '.lock'),
    'exclusive',
    parts.signal,
  );
  try {
    for (const name of containerNames(parts.containersPath)) await tryRecover(parts, name, control);
  } catch (error) {
    lock.release();
    throw error;
  }
  return lock;
}

// One container whose journal cannot be read must not keep all others from being switched.
async function tryRecover(
  parts: ContainerParts,
  name: string,
  control: ServiceControl,
): Promise<void> {
  try {
    await recover(parts, name, control);
  } catch (error) {
    if (!(error instanceof ContainerError && error.code === 'CONTAINER_BROKEN')) throw error;
    parts.log.warn(`container ${name} is broken and left as it is: ${error.message}`);
  }
}

async function recover(
  parts: ContainerParts,
  name: string,
  control: ServiceControl,
): Promise<void> {
  const directory = new ContainerDirectory(parts.containersPath, name);
  const journal = readJournal(directory.path);
  const current = directory.currentNumber();
  if (journal === undefined) {
    // Built, but its switch had not begun, or it was undone to the last step.
    if (current === undefined) directory.remove();
    return;
  }
  if (journal.action === 'install' && current === journal.generation) {
    directory.finishSwitch();
    return;
  }
  parts.log.warn(`the ${journal.action} of ${name} was interrupted; ${remedy(journal.action)}`);
  await removeFromHost(parts.host, { ...journal, name }, control, parts.signal);
  removeStateDirectories(parts.host, journal.stateDirectories, journal.stateParents);
  directory.remove();
}

function remedy(action: 'install' | 'uninstall'): string {
  return action === 'install' ? 'undoing it' : 'finishing it';
}
