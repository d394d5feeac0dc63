// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '../base/sysct-error.ts';
import type { BusSocket } from './bus.ts';
import { BusManager } from './bus-manager.ts';
import type { SystemdManager } from './manager.ts';
import { SystemdError } from './systemd-error.ts';

/**
 * The bus first: it is the interface that systemd documents. systemd's own socket serves hosts
 * without a bus (a minimal Debian has none) and answers root only.
 */
export const SYSTEMD_SOCKETS: readonly BusSocket[] = [
  { path: '/run/dbus/system_bus_socket', kind: 'bus' },
  { path: '/run/systemd/private', kind: 'peer' },
];

/**
 * Connects to the systemd that runs this host: over the system bus, or where there is no bus over
 * systemd's own socket. `await using` closes it.
 * @throws SystemdError NO_BUS when neither answers; REFUSED
 */
export async function connectManager(
  signal: AbortSignal,
  sockets: readonly BusSocket[] = SYSTEMD_SOCKETS,
): Promise<SystemdManager> {
  const failures: unknown[] = [];
  for (const socket of sockets) {
    try {
      return await BusManager.connect(socket, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SystemdError) || error.code === 'REFUSED') throw error;
      failures.push(error);
    }
  }
  throw new SystemdError('NO_BUS', failures.map(messageOf).join('; '), {
    cause: new AggregateError(failures),
    hint: 'systemd has to be running as PID 1; for a root that is not booted, give --root DIR',
  });
}
