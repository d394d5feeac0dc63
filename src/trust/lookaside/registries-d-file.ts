// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { parseRegistriesD, type RegistriesD, type RegistriesDFile } from './registries-d.ts';
import { TrustError } from '../verdict/trust-error.ts';

export interface RegistriesDLocation {
  readonly host: HostRoot;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const SYSTEM_DIRECTORY = '/etc/containers/registries.d';
const USER_DIRECTORY = '.config/containers/registries.d';

/**
 * Reads `/etc/containers/registries.d/*.yaml` inside the root (as an ordinary user on the running host:
 * `$HOME/.config/containers/registries.d` instead, where it exists). An absent directory is empty.
 * What stands there can make signatures be missed, never make one count: it needs no guard.
 * @throws TrustError INVALID_REGISTRIES_D, UNREADABLE_FILE
 */
export async function loadRegistriesD(location: RegistriesDLocation): Promise<RegistriesD> {
  const home = location.env['HOME'];
  const isUser = process.getuid?.() !== 0 && location.host.isRunningHost;
  const own =
    isUser && home?.startsWith('/') === true
      ? await readDirectory(location.host, posix.join(home, USER_DIRECTORY))
      : undefined;
  return await parseRegistriesD(
    own ?? (await readDirectory(location.host, SYSTEM_DIRECTORY)) ?? [],
  );
}

/** Every file of the root's own directory, in order; none where it is absent. @throws TrustError UNREADABLE_FILE */
export async function readSystemRegistriesD(host: HostRoot): Promise<readonly RegistriesDFile[]> {
  return (await readDirectory(host, SYSTEM_DIRECTORY)) ?? [];
}

async function readDirectory(
  host: HostRoot,
  directory: string,
): Promise<readonly RegistriesDFile[] | undefined> {
  try {
    const names = await readdir(host.resolveFollowing(directory));
    const files = names
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map(async (name) => await readOne(host, `${directory}/${name}`));
    return (await Promise.all(files)).filter((file) => file !== undefined);
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw unreadable(directory, cause);
  }
}

async function readOne(host: HostRoot, path: string): Promise<RegistriesDFile | undefined> {
  try {
    return { path, text: await readFile(host.resolveFollowing(path), 'utf8') };
  } catch (cause) {
    // Removed since the directory was listed, or a dangling link.
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): TrustError {
  return new TrustError('UNREADABLE_FILE', `reading ${quote(path)}: ${messageOf(cause)}`, {
    cause,
  });
}
