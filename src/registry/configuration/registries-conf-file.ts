// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { type ConfText, parseRegistriesConf, type RegistriesConf } from './registries-conf.ts';
import { RegistryError } from '../http/registry-error.ts';

/** Whose files to read: root's only, or the user's as well. */
export interface ConfReader {
  readonly root: HostRoot;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly uid: number;
}

const SYSTEM_FILE = '/etc/containers/registries.conf';
const SYSTEM_DROP_INS = '/etc/containers/registries.conf.d';

/**
 * Reads the main file and the drop-ins: the main file is `$CONTAINERS_REGISTRIES_CONF`, else
 * `~/.config/containers/registries.conf` (which then also keeps the system's drop-ins out), else
 * `/etc/containers/registries.conf`. For root, and for an offline root, only the variable and `/etc`
 * count: sudo may keep the `$HOME` of a user who must not choose where root's images come from.
 * No file at all is an empty configuration.
 * @throws RegistryError CONFIG
 */
export function loadRegistriesConf(reader: ConfReader): RegistriesConf {
  const { root, env, uid } = reader;
  const override = env['CONTAINERS_REGISTRIES_CONF'];
  const home = uid === 0 || !root.isRunningHost ? undefined : userConfigDirectory(env);
  const systemDropIns = readDropIns(root.resolveFollowing(SYSTEM_DROP_INS));
  const userDropIns = home === undefined ? [] : readDropIns(join(home, 'registries.conf.d'));
  if (override !== undefined && override !== '') {
    const main = readText(override);
    if (main === undefined) {
      throw new RegistryError('CONFIG', `$CONTAINERS_REGISTRIES_CONF: ${override} does not exist`);
    }
    return parseRegistriesConf(main, [...systemDropIns, ...userDropIns]);
  }
  const userMain = home === undefined ? undefined : readText(join(home, 'registries.conf'));
  if (userMain !== undefined) return parseRegistriesConf(userMain, userDropIns);
  const systemMain = readText(root.resolveFollowing(SYSTEM_FILE));
  return parseRegistriesConf(systemMain, [...systemDropIns, ...userDropIns]);
}

/** `$XDG_CONFIG_HOME/containers` or `~/.config/containers`; undefined without a home. */
export function userConfigDirectory(env: Readonly<NodeJS.ProcessEnv>): string | undefined {
  const { XDG_CONFIG_HOME: config, HOME: home } = env;
  if (config !== undefined && config !== '') return join(config, 'containers');
  return home === undefined || home === '' ? undefined : join(home, '.config/containers');
}

function readDropIns(directory: string): readonly ConfText[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw unreadable(directory, error);
  }
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => readText(join(directory, name)))
    .filter((file) => file !== undefined);
}

function readText(path: string): ConfText | undefined {
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): RegistryError {
  return new RegistryError('CONFIG', `reading ${path}: ${messageOf(cause)}`, { cause });
}
