// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { quote } from '../../base/printable.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { ContainerDirectory } from '../record/container-directory.ts';
import { ContainerError } from '../record/container-error.ts';
import { UNIT_DIRECTORIES } from './unit-directories.ts';

/** @throws ContainerError ALREADY_INSTALLED, UNIT_EXISTS */
export function refuseTaken(name: string, host: HostRoot, containersPath: string): void {
  if (new ContainerDirectory(containersPath, name).currentNumber() !== undefined) {
    throw new ContainerError(
      'ALREADY_INSTALLED',
      `installing ${quote(name)}: it is installed already`,
      {
        hint: `uninstall it first (sysct uninstall ${name}), or choose another --name`,
      },
    );
  }
  const unit = `${name}.service`;
  // A name like getty@tty1 would also take an instance away from its template.
  const template = unit.replace(/@.*(?=\.service$)/s, '@');
  const taken = UNIT_DIRECTORIES.flatMap((directory) => [
    `${directory}/${unit}`,
    `${directory}/${template}`,
  ]).find((path) => lstatSync(host.resolve(path), { throwIfNoEntry: false }) !== undefined);
  if (taken === undefined) return;
  throw new ContainerError(
    'UNIT_EXISTS',
    `installing ${quote(name)}: the host has a unit ${quote(taken)} already`,
    {
      hint: `choose another --name, or remove what brought ${unit}`,
    },
  );
}
