// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '../../base/sysct-error.ts';
import { ContainerDirectory, containerNames } from './container-directory.ts';
import type { Generation } from './generation.ts';

/** One line of `sysct list`. A container whose records cannot be read is listed as broken, never hidden. */
export type ContainerSummary =
  | {
      readonly kind: 'installed';
      readonly name: string;
      readonly current: Generation;
      readonly interrupted: boolean;
    }
  | { readonly kind: 'broken'; readonly name: string; readonly problem: string };

/** All containers of the store, by name. Reads only; asks no manager. */
export function summarizeContainers(containersPath: string): readonly ContainerSummary[] {
  return containerNames(containersPath).map((name) => summarize(containersPath, name));
}

function summarize(containersPath: string, name: string): ContainerSummary {
  const directory = new ContainerDirectory(containersPath, name);
  try {
    const number = directory.currentNumber();
    if (number === undefined) {
      return {
        kind: 'broken',
        name,
        problem: 'its install was interrupted; the next install or uninstall clears it',
      };
    }
    return {
      kind: 'installed',
      name,
      current: directory.readGeneration(number),
      interrupted: directory.isSwitching(),
    };
  } catch (error) {
    return { kind: 'broken', name, problem: messageOf(error) };
  }
}
