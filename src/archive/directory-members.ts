// SPDX-License-Identifier: Apache-2.0
import { constants, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../base/printable.ts';
import { MembersError } from './members-error.ts';
import { readRegion } from './read-region.ts';
import type { Members } from './members.ts';

/**
 * The files of an OCI layout or of a skopeo `dir:`. Symbolic links are not followed, in no
 * component: a layout from somebody else must not make root read other files (CVE-2014-9356).
 */
export class DirectoryMembers implements Members {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  sizeOf(name: string): number | undefined {
    const stat = this.#lstat(name);
    return stat?.isFile() === true ? stat.size : undefined;
  }

  async read(name: string, maxBytes: number): Promise<Buffer> {
    const file = await this.#open(name);
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw tooLarge(join(this.#directory, name), size, maxBytes);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  async *open(name: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    const file = await this.#open(name);
    try {
      const { size } = await file.stat();
      yield* readRegion(file, 0, size, signal);
    } finally {
      await file.close();
    }
  }

  namesIn(folder: string): readonly string[] {
    if (this.#lstat(folder)?.isDirectory() !== true) return [];
    return readdirSync(join(this.#directory, folder)).map((name) => `${folder}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #open(name: string): Promise<FileHandle> {
    const path = join(this.#directory, name);
    if (this.#lstat(name)?.isFile() !== true) {
      throw new MembersError(
        'MEMBER_MISSING',
        `reading ${quote(path)}: there is no such regular file`,
      );
    }
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  }

  #lstat(name: string): Stats | undefined {
    let path = this.#directory;
    const components = name.split('/');
    for (const [n, component] of components.entries()) {
      if (component === '' || component === '.' || component === '..') return undefined;
      path = join(path, component);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (n === components.length - 1) return stat;
      if (stat?.isDirectory() !== true) return undefined;
    }
    return undefined;
  }
}

export function tooLarge(path: string, size: number, maxBytes: number): MembersError {
  return new MembersError(
    'MEMBER_TOO_LARGE',
    `reading ${quote(path)}: it has ${size} bytes, more than ${maxBytes}`,
  );
}
