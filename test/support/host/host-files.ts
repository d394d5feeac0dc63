// SPDX-License-Identifier: Apache-2.0
// All files of a host, so that two moments can be compared: what did an install, or its failure, leave?
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';

/** Path → type, mode, owner and digest or target, in one line. */
export type HostFiles = ReadonlyMap<string, string>;

/** What a running host writes by itself, and the store, which keeps images on purpose. */
const NOT_LOOKED_AT = [
  '/etc/.updated',
  '/etc/cni',
  '/etc/machine-id',
  '/lost+found',
  '/tmp',
  '/var/.updated',
  '/var/cache/ldconfig',
  '/var/lib/containerd',
  '/var/lib/dbus',
  '/var/lib/sysct',
  '/var/lib/systemd',
  '/var/log',
];

/**
 * Looks at every file below `root` that lies on the same file system, each time it is called: for a
 * booted host that is what is on its disk, not what is in /run. A file is read again only when its
 * change time says so.
 */
export function hostFilesOf(root: string): () => HostFiles {
  const digests = new Map<string, string>();
  return () => {
    const files = new Map<string, string>();
    const device = lstatSync(root, { bigint: true }).dev;
    const walk = (path: string): void => {
      for (const name of readdirSync(join(root, path)).toSorted()) {
        const child = `${path}/${name}`;
        const stat = lstatSync(join(root, child), { bigint: true });
        if (NOT_LOOKED_AT.includes(child) || stat.dev !== device) continue;
        // PrivateTmp= of the host's own services: other names at each boot.
        if (name.startsWith('systemd-private-')) continue;
        files.set(child, describe(join(root, child), stat, digests));
        if (stat.isDirectory()) walk(child);
      }
    };
    walk('');
    return files;
  };
}

/** Every file below `root`, whatever file system it lies on, with its content: what a mounted image shows. */
export function filesBelow(root: string): HostFiles {
  const files = new Map<string, string>();
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const stat = lstatSync(join(root, path), { bigint: true });
    files.set(`/${path}`, describe(join(root, path), stat, new Map()));
  }
  return files;
}

/** Lines that begin with `-` for what is only before, `+` for what is only after. */
export function changesBetween(before: HostFiles, after: HostFiles): readonly string[] {
  const lines: string[] = [];
  for (const path of [...new Set([...before.keys(), ...after.keys()])].toSorted()) {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) continue;
    if (was !== undefined) lines.push(`- ${path} ${was}`);
    if (is !== undefined) lines.push(`+ ${path} ${is}`);
  }
  return lines;
}

function describe(path: string, stat: BigIntStats, digests: Map<string, string>): string {
  const common = `${(stat.mode & 0o7777n).toString(8)} ${stat.uid}:${stat.gid}`;
  if (stat.isSymbolicLink()) return `link ${common} -> ${readlinkSync(path)}`;
  if (stat.isDirectory()) return `directory ${common}`;
  if (!stat.isFile()) return `special ${common} ${stat.rdev}`;
  const key = `${stat.ino} ${stat.ctimeNs}`;
  const digest = digests.get(key) ?? createHash('sha256').update(readFileSync(path)).digest('hex');
  digests.set(key, digest);
  return `file ${common} ${digest}`;
}
