// SPDX-License-Identifier: Apache-2.0
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/sysct-error.ts';
import { syncDirectory } from '../../sys/durable-file.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { type Generation, parseGeneration } from './generation.ts';

/**
 * What one installed container has in the store:
 *
 *   containers/NAME/
 *     1/  generation.json  config.json  rootfs.erofs  …     immutable once `current` has named it
 *     current -> 1                                          what is installed
 *     switch.json                                           only while a switch is under way
 *     .N.building/                                          only while N is being built
 *
 * A NAME without `current` is not installed.
 */
export class ContainerDirectory {
  readonly name: string;
  readonly path: string;

  constructor(containersPath: string, name: string) {
    this.name = name;
    this.path = join(containersPath, name);
  }

  exists(): boolean {
    return isDirectory(this.path);
  }

  /** The number of the installed generation; undefined when the container is not installed. */
  currentNumber(): number | undefined {
    try {
      const number = Number(readlinkSync(join(this.path, 'current')));
      return Number.isSafeInteger(number) && number > 0 ? number : undefined;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'ENAMETOOLONG')) return undefined;
      throw error;
    }
  }

  /** True while a switch is under way, or was interrupted. */
  isSwitching(): boolean {
    return lstatSync(join(this.path, 'switch.json'), { throwIfNoEntry: false }) !== undefined;
  }

  generationPath(number: number): string {
    return join(this.path, String(number));
  }

  readGeneration(number: number): Generation {
    const path = join(this.generationPath(number), 'generation.json');
    return parseGeneration(readFileSync(path, 'utf8'), path);
  }

  /** The numbers of all finished generations, ascending. */
  generationNumbers(): readonly number[] {
    if (!this.exists()) return [];
    return readdirSync(this.path)
      .filter((entry) => /^[1-9][0-9]*$/.test(entry))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** An empty directory to build generation `number` in; {@link finishBuilding} gives it its name. */
  startBuilding(number: number): string {
    makeDirectories(this.path, 0o700);
    const building = join(this.path, `.${number}.building`);
    rmSync(building, { recursive: true, force: true });
    mkdirSync(building, { mode: 0o700 });
    return building;
  }

  finishBuilding(number: number): void {
    renameSync(join(this.path, `.${number}.building`), this.generationPath(number));
    syncDirectory(this.path);
  }

  /** Makes generation `number` the installed one, in one rename. */
  pointCurrentAt(number: number): void {
    const temporary = join(this.path, '.current.new');
    rmSync(temporary, { force: true });
    symlinkSync(String(number), temporary);
    renameSync(temporary, join(this.path, 'current'));
    syncDirectory(this.path);
  }

  /** The last step of a switch: its journal goes. */
  finishSwitch(): void {
    rmSync(join(this.path, 'switch.json'), { force: true });
    syncDirectory(this.path);
  }

  /** From here on the container is not installed. */
  removeCurrent(): void {
    rmSync(join(this.path, 'current'), { force: true });
    syncDirectory(this.path);
  }

  removeGeneration(number: number): void {
    rmSync(this.generationPath(number), { recursive: true, force: true });
    rmSync(join(this.path, `.${number}.building`), { recursive: true, force: true });
  }

  /** Removes the container's directory with all in it. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
    syncDirectory(join(this.path, '..'));
  }
}

/** The names of all directories under `containers/`, and of links to some, installed or not, in order. */
export function containerNames(containersPath: string): readonly string[] {
  try {
    return readdirSync(containersPath)
      .filter((name) => !name.startsWith('.') && isDirectory(join(containersPath, name)))
      .sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
