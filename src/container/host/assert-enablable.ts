// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { type EnablementLink, installLinks } from '../../systemd/install-links.ts';
import type { UnitText } from '../../systemd/verify-unit.ts';
import { ContainerError } from '../record/container-error.ts';

/**
 * Passes when enabling the service would not meet links of others. Asked before anything changes:
 * undoing an install disables the unit, which removes every link of its name, whoever made it.
 *
 * @throws ContainerError UNIT_EXISTS
 */
export function assertEnablable(host: HostRoot, service: UnitText): void {
  const links = installLinks(service.name, service.text);
  const foreign = links.find((link) => isForeign(host, link));
  if (foreign === undefined) return;
  throw new ContainerError(
    'UNIT_EXISTS',
    `installing ${service.name}: ${quote(foreign.path)} is there already and is not a link to it`,
    { hint: `remove ${foreign.path} if nobody needs it, or choose another --name` },
  );
}

function isForeign(host: HostRoot, { path, target }: EnablementLink): boolean {
  const real = host.resolve(path);
  const stat = lstatSync(real, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isSymbolicLink()) return true;
  return posix.resolve(posix.dirname(path), readlinkSync(real)) !== target;
}
