// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { ContainerDirectory, containerNames } from './container-directory.ts';
import { ContainerError } from './container-error.ts';
import type { Generation } from './generation.ts';

export interface InstalledContainer {
  readonly directory: ContainerDirectory;
  readonly current: Generation;
}

/** @throws ContainerError CONTAINER_NOT_FOUND, CONTAINER_BROKEN */
export function requireInstalled(containersPath: string, name: string): InstalledContainer {
  const directory = requireDirectory(containersPath, name);
  return { directory, current: directory.readGeneration(directory.currentNumber() ?? 0) };
}

/** An installed container whose record may be damaged. @throws ContainerError CONTAINER_NOT_FOUND */
export function requireDirectory(containersPath: string, name: string): ContainerDirectory {
  // A name with a slash or a dot in front can never have been installed, and must not become a path.
  const known = /^[^/.][^/]*$/.test(name);
  const directory = new ContainerDirectory(containersPath, known ? name : '.none');
  if (directory.currentNumber() !== undefined) return directory;
  const names = containerNames(containersPath);
  throw new ContainerError('CONTAINER_NOT_FOUND', `no container ${quote(name)} is installed`, {
    hint:
      names.length === 0
        ? 'sysct install installs one'
        : `sysct list shows the ${names.length} that are`,
  });
}

export function isInstalled(containersPath: string, name: string): boolean {
  return (
    /^[^/.][^/]*$/.test(name) &&
    new ContainerDirectory(containersPath, name).currentNumber() !== undefined
  );
}
