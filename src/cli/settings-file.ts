// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { isErrno, messageOf, UsageError } from '../base/sysct-error.ts';
import type { HostRoot } from '../sys/host-root.ts';
import { DEFAULT_SETTINGS, type Settings, settingsFrom } from './settings.ts';

const DIRECTORIES = ['/usr/lib/sysct', '/etc/sysct'];

/**
 * The settings of a host: the vendor's and then the admin's `sysct.toml`, each followed by its
 * `sysct.toml.d/*.toml` in the order of their names; the last one that sets a key counts.
 */
export async function loadSettings(host: HostRoot): Promise<Settings> {
  let settings: Settings = DEFAULT_SETTINGS;
  for (const path of DIRECTORIES.flatMap((directory) => settingsFiles(host, directory))) {
    const text = readIfPresent(host.resolveFollowing(path));
    if (text === undefined) continue;
    const { parse } = await import('smol-toml');
    try {
      settings = { ...settings, ...settingsFrom(parse(text), path) };
    } catch (cause) {
      if (cause instanceof UsageError) throw cause;
      const reason = messageOf(cause).split('\n')[0] ?? '';
      throw new UsageError(`reading settings ${path}: ${reason}`, { cause });
    }
  }
  return settings;
}

function settingsFiles(host: HostRoot, directory: string): readonly string[] {
  const main = `${directory}/sysct.toml`;
  const dropIns = listIfPresent(host.resolveFollowing(`${main}.d`))
    .filter((name) => name.endsWith('.toml'))
    .sort()
    .map((name) => `${main}.d/${name}`);
  return [main, ...dropIns];
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function listIfPresent(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
