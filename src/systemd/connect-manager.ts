// SPDX-License-Identifier: Apache-2.0
import type { SystemdManager } from './manager.ts';

/**
 * Connects to the systemd that runs this host: over the system bus, or where there is no bus over
 * systemd's own socket, which answers root only. `await using` closes it.
 * @throws SystemdError NO_BUS when neither is there.
 */
export async function connectManager(signal: AbortSignal): Promise<SystemdManager> {
  signal.throwIfAborted();
  throw new Error('being written');
}
