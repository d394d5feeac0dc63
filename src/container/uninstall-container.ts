// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { removeTmpfiles } from '../systemd/tmpfiles.ts';
import { ContainerError } from './container-error.ts';
import type { ContainerParts } from './container-parts.ts';
import { summarizeContainers } from './container-summary.ts';
import { requireInstalled } from './installed-container.ts';
import { lockSwitches } from './recover-switches.ts';
import { removeFromHost, STOP_TIMEOUT_MS } from './remove-from-host.ts';
import type { ServiceControl } from './service-control.ts';
import { purgeStateDirectories, removeStateDirectories } from './state-directories.ts';
import { writeJournal } from './switch-journal.ts';

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
  using lock = await lockSwitches(parts, control);
  void lock;
  const { directory, current } = requireInstalled(parts.containersPath, name);
  refuseIfRequired(parts.containersPath, name, current.units[0]);
  const [service] = current.units;
  if (control.kind === 'running' && service !== undefined) {
    await control.manager.stop(service, { timeoutMs: STOP_TIMEOUT_MS, signal: parts.signal });
  }
  const { units, changes, stateDirectories, stateParents, number: generation } = current;
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
  if (state === 'purge') purgeStateDirectories(parts.host, stateDirectories);
  const data = removeStateDirectories(parts.host, stateDirectories, stateParents);
  directory.removeCurrent();
  directory.remove();
  return { kept, data };
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
