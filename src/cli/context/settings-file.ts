// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { isErrno, messageOf, UsageError } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { DEFAULT_SETTINGS, type Settings, settingsFrom } from './settings.ts';

const DIRECTORIES = ['/usr/lib/sysct', '/etc/sysct'];

/**
 * The settings of a host: the vendor's and then the admin's `sysct.toml`, each followed by its
 * `sysct.toml.d/*.toml` in the order of their names; the last one that sets a key counts.
 */
export async function loadSettings(host: HostRoot): Promise<Settings> {
  let settings: Settings = DEFAULT_SETTINGS;
  for (const path of DIRECTORIES.flatMap((directory) => settingsFiles(host, directory))) {
    const text = readIfPresent(host, path);
    if (text === undefined) continue;
    const { parse } = await import('smol-toml');
    try {
      settings = { ...settings, ...settingsFrom(parse(text), path) };
    } catch (cause) {
      if (cause instanceof UsageError) throw cause;
      throw notToml(path, cause);
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

function readIfPresent(host: HostRoot, path: string): string | undefined {
  try {
    return readFileSync(host.resolveFollowing(path), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (!isErrno(error, 'EISDIR', 'ELOOP')) throw error;
    throw new UsageError(`reading settings ${path}: it is not a file`, { cause: error });
  }
}

/** smol-toml says where, and prints the lines around it below its message. */
function notToml(path: string, cause: unknown): UsageError {
  const [reason = ''] = messageOf(cause).split('\n');
  const line = cause instanceof Error && 'line' in cause ? Number(cause.line) : NaN;
  const place = Number.isSafeInteger(line) ? `, line ${line}` : '';
  return new UsageError(
    `reading settings ${path}${place}: ${reason.replace('Invalid TOML document: ', '')}`,
    { cause, hint: 'sysct.toml(5) has an example' },
  );
}

function listIfPresent(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
