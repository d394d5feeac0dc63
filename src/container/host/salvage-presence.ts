// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { sha256 } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { escapeUnitName } from '../../systemd/unit-escape.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import type { HostChange } from '../record/host-change.ts';
import type { HostPresence } from './remove-from-host.ts';

const UNITS = '/etc/systemd/system';

/**
 * What a container has on the host, found out by looking: for one whose record cannot be read, so
 * that it can be uninstalled all the same. Its units are known by their names and, the service, by
 * its [X-Sysct] section; the files that its image brought are not known any more.
 */
export function salvagePresence(host: HostRoot, name: string, generation: number): HostPresence {
  const service = `${name}.service`;
  const mounts = `run-sysct-${escapeUnitName(name)}-`;
  const units = namesIn(host, UNITS)
    .filter(
      (unit) =>
        isOurService(host, unit, service) || (unit.startsWith(mounts) && unit.endsWith('.mount')),
    )
    .sort((a, b) => Number(b === service) - Number(a === service));
  const files = [...units.map((unit) => `${UNITS}/${unit}`), `/etc/tmpfiles.d/${name}.conf`];
  return { name, generation, units, changes: files.flatMap((path) => asChange(host, path)) };
}

function isOurService(host: HostRoot, unit: string, service: string): boolean {
  return (
    unit === service && readFileSync(host.resolve(`${UNITS}/${unit}`), 'utf8').includes('[X-Sysct]')
  );
}

function asChange(host: HostRoot, path: string): readonly HostChange[] {
  const real = host.resolve(path);
  const stat = lstatSync(real, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return [];
  const digest = sha256(readFileSync(real));
  return [
    {
      kind: 'file',
      path,
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      digest,
      role: 'unit',
    },
  ];
}

function namesIn(host: HostRoot, directory: string): readonly string[] {
  try {
    return readdirSync(host.resolveFollowing(directory));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
