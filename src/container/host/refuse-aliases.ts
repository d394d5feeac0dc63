// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { quote } from '../../base/printable.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { alsoUnits, installLinks, UNIT_DIRECTORY } from '../../systemd/install-links.ts';
import type { UnitText } from '../../systemd/verify-unit.ts';
import { ContainerError } from '../record/container-error.ts';
import { UNIT_DIRECTORIES } from './unit-directories.ts';

/**
 * Refuses units that enabling would put in the place of the host's own: an `Alias=dbus.service` of an
 * image takes the bus away from the host, and `Also=` would switch units of the host on and off.
 *
 * @throws ContainerError UNIT_EXISTS, all such names at once; SystemdError UNIT_INVALID
 */
export function refuseAliases(name: string, units: readonly UnitText[], host: HostRoot): void {
  const own = new Set(units.map((unit) => unit.name));
  const taken = units
    .flatMap((unit) => [...aliasesOf(unit), ...alsoUnits(unit.name, unit.text)])
    .filter((unit) => !own.has(unit) && isOnHost(unit, host));
  if (taken.length === 0) return;
  throw new ContainerError(
    'UNIT_EXISTS',
    `installing ${quote(name)}: its unit's Alias= or Also= names units of the host: ${taken.map(quote).join(', ')}`,
    { hint: 'the image has to be mended, or what brought those units removed' },
  );
}

function aliasesOf({ name, text }: UnitText): readonly string[] {
  const prefix = `${UNIT_DIRECTORY}/`;
  return installLinks(name, text)
    .map(({ path }) => path.slice(prefix.length))
    .filter((path) => !path.includes('/'));
}

function isOnHost(unit: string, host: HostRoot): boolean {
  return UNIT_DIRECTORIES.some(
    (directory) =>
      lstatSync(host.resolve(`${directory}/${unit}`), { throwIfNoEntry: false }) !== undefined,
  );
}
