// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { isErrno, messageOf, SysctError } from '../base/sysct-error.ts';
import { removeTmpfiles } from '../systemd/tmpfiles.ts';
import { ContainerError } from './record/container-error.ts';
import { ContainerDirectory, containerNames } from './record/container-directory.ts';
import type { ContainerParts } from './record/container-parts.ts';
import { summarizeContainers } from './record/container-summary.ts';
import { isInstalled, requireDirectory } from './record/installed-container.ts';
import type { Generation } from './record/generation.ts';
import { lockSwitches } from './switch/recover-switches.ts';
import { removeFromHost, STOP_TIMEOUT_MS } from './host/remove-from-host.ts';
import { salvagePresence } from './host/salvage-presence.ts';
import type { ServiceControl } from './host/service-control.ts';
import { purgeStateDirectories, removeStateDirectories } from './host/state-directories.ts';
import { readJournal, writeJournal } from './switch/switch-journal.ts';

export interface Uninstalled {
  /** What stays on the host, a line each: edited files, directories with other things in them. */
  readonly kept: readonly string[];
  /** Directories that hold the container's data, left for the admin; empty after a purge. */
  readonly data: readonly string[];
}

/**
 * Stops a container and removes exactly what its install added. The image stays in the store.
 * A failure to stop changes nothing; what is killed after that is finished by the next run.
 *
 * @throws ContainerError CONTAINER_NOT_FOUND, REQUIRED_BY_OTHERS; SystemdError
 */
export async function uninstallContainer(
  name: string,
  state: 'keep-data' | 'purge',
  parts: ContainerParts,
  control: ServiceControl,
): Promise<Uninstalled> {
  const begun = unfinishedSwitch(parts.containersPath, name);
  using lock = await lockSwitches(parts, control);
  void lock;
  if (begun !== undefined && !isInstalled(parts.containersPath, name))
    return { kept: [], data: leaveState(state, begun, parts) };
  const directory = requireDirectory(parts.containersPath, name);
  const { units, changes, stateDirectories, stateParents, generation } = recordOf(directory, parts);
  const [service] = units;
  refuseIfRequired(parts.containersPath, name, service);
  if (control.kind === 'running' && service !== undefined) {
    await control.manager.stop(service, { timeoutMs: STOP_TIMEOUT_MS, signal: parts.signal });
  }
  writeJournal(directory.path, {
    version: 1,
    action: 'uninstall',
    generation,
    units,
    changes,
    stateDirectories,
    stateParents,
  });
  // From here on there is only forward.
  const { signal } = new AbortController();
  const tmpfiles = changes.find((change) => change.kind === 'file' && change.role === 'tmpfiles');
  if (tmpfiles !== undefined && control.kind === 'running')
    await removeTmpfiles(parts.host, tmpfiles.path, signal);
  const kept = await removeFromHost(
    parts.host,
    { name, generation, units, changes },
    control,
    signal,
  );
  const data = leaveState(state, { stateDirectories, stateParents }, parts);
  directory.removeCurrent();
  directory.remove();
  return { kept, data };
}

/** What an interrupted switch left, which whoever takes the lock next clears away. */
function unfinishedSwitch(containersPath: string, name: string): State | undefined {
  if (!containerNames(containersPath).includes(name)) return undefined;
  const directory = new ContainerDirectory(containersPath, name);
  try {
    const journal = readJournal(directory.path);
    if (journal?.action === 'uninstall') return journal;
  } catch (error) {
    // Told where the lock is taken.
    if (!(error instanceof ContainerError && error.code === 'CONTAINER_BROKEN')) throw error;
  }
  const nothing = { stateDirectories: [], stateParents: [] };
  return directory.currentNumber() === undefined ? nothing : undefined;
}

type State = Pick<Generation, 'stateDirectories' | 'stateParents'>;

/** Returns the directories that stay because they hold data. */
function leaveState(
  state: 'keep-data' | 'purge',
  { stateDirectories, stateParents }: State,
  { host }: ContainerParts,
): readonly string[] {
  if (state === 'purge') purgeStateDirectories(host, stateDirectories);
  return removeStateDirectories(host, stateDirectories, stateParents);
}

type Record = State & Pick<Generation, 'units' | 'changes'> & { readonly generation: number };

/** What is to be taken off the host: as recorded, or, where the record is damaged, as it can be found. */
function recordOf(directory: ContainerDirectory, parts: ContainerParts): Record {
  const number = directory.currentNumber() ?? 1;
  try {
    return { ...directory.readGeneration(number), generation: number };
  } catch (error) {
    if (!(error instanceof SysctError) && !isErrno(error, 'ENOENT')) throw error;
    const lost = 'files that its image brought and its data are not known any more, and stay';
    parts.log.warn(`the record of ${directory.name} is damaged (${messageOf(error)}): ${lost}`);
    const { units, changes } = salvagePresence(parts.host, directory.name, number);
    return { units, changes, stateDirectories: [], stateParents: [], generation: number };
  }
}

function refuseIfRequired(containersPath: string, name: string, unit: string | undefined): void {
  if (unit === undefined) return;
  const others = summarizeContainers(containersPath).flatMap((summary) =>
    summary.kind === 'installed' &&
    summary.name !== name &&
    summary.current.order.requires.includes(unit)
      ? [summary.name]
      : [],
  );
  if (others.length === 0) return;
  throw new ContainerError(
    'REQUIRED_BY_OTHERS',
    `uninstalling ${quote(name)}: ${others.join(', ')} requires it`,
    {
      hint: `uninstall ${others.join(', ')} first`,
    },
  );
}
