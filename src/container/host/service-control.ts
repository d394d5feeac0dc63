// SPDX-License-Identifier: Apache-2.0
import { connectManager } from '../../systemd/connect-manager.ts';
import type { SystemdManager, UnitEnabler } from '../../systemd/manager.ts';
import { offlineEnabler } from '../../systemd/offline-root.ts';
import type { HostRoot } from '../../sys/host-root.ts';

/**
 * systemd as a switch needs it: the running manager of the host, or, for an offline root, only the
 * links that enabling makes.
 */
export type ServiceControl =
  | { readonly kind: 'running'; readonly manager: SystemdManager }
  | { readonly kind: 'offline'; readonly enabler: UnitEnabler };

/** @throws SystemdError NO_BUS on a host that systemd does not run. */
export async function openServiceControl(
  host: HostRoot,
  signal: AbortSignal,
): Promise<ServiceControl & AsyncDisposable> {
  if (!host.isRunningHost) {
    return {
      kind: 'offline',
      enabler: offlineEnabler(host),
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const manager = await connectManager(signal);
  return { kind: 'running', manager, [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose]() };
}

/** What enables and disables units here. */
export function enablerOf(control: ServiceControl): UnitEnabler {
  return control.kind === 'running' ? control.manager : control.enabler;
}

/** Has systemd read its unit files again; nothing to do in an offline root. */
export async function reloadUnits(control: ServiceControl, signal: AbortSignal): Promise<void> {
  if (control.kind === 'running') await control.manager.reload(signal);
}
