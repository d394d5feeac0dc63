// SPDX-License-Identifier: Apache-2.0
import { type Dirent, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import { isJsonObject, type JsonValue, parseStrictJsonValue } from '../../base/strict-json.ts';
import { isErrno } from '../../base/sysct-error.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { type NamedImage, namedImageOf } from './named-image.ts';
import { RecordCache } from './record-cache.ts';

/** The version of `generation.json` that this sysct writes and reads. */
export const GENERATION_VERSION = 1;

/** The generation's EROFS image, in its directory. */
export const GENERATION_IMAGE = 'rootfs.erofs';

/** What a generation needs of the store, of all that `containers/NAME/N/generation.json` says. */
export interface GenerationImage extends NamedImage {
  /** Of the container. */
  readonly name: string;
  readonly number: number;
  readonly isFinished: boolean;
  /** Directory of the generation. */
  readonly directory: string;
  readonly key: string;
}

/** The symbolic link to the generation that counts. */
const CURRENT = 'current';

const FINISHED = /^[1-9][0-9]*$/;
const BUILDING = /^\.[1-9][0-9]*\.building$/;

/**
 * The images of all generations, installed or not, finished or being built. A finished one that
 * cannot be read is an error; one being built that cannot is passed over, because whoever builds it
 * holds a lease. One without a record is on its way out, unless `current` names it.
 *
 * @throws StoreError ROOT_UNREADABLE
 */
export function readGenerationImages(
  layout: StoreLayout,
  cache: RecordCache<NamedImage>,
): GenerationImage[] {
  return directoriesOf(layout.containers).flatMap((name) => {
    const container = join(layout.containers, name);
    return directoriesOf(container).flatMap(
      (entry) => readGeneration(name, container, entry, cache) ?? [],
    );
  });
}

/** Names of the containers that have a generation of each tree. @throws StoreError ROOT_UNREADABLE */
export function containersByTree(layout: StoreLayout): ReadonlyMap<Digest, readonly string[]> {
  const containers = new Map<Digest, string[]>();
  for (const { treeId, name } of readGenerationImages(
    layout,
    new RecordCache(parseGenerationImage),
  )) {
    const names = containers.get(treeId) ?? [];
    if (!names.includes(name)) names.push(name);
    containers.set(treeId, names);
  }
  return containers;
}

/** @throws StoreError ROOT_UNREADABLE */
export function parseGenerationImage(text: string, path: string): NamedImage {
  const value = parsed(text, path);
  const version = isJsonObject(value) ? value['version'] : undefined;
  if (version !== GENERATION_VERSION) {
    const seen = `version ${JSON.stringify(version) ?? 'none'}`;
    throw unreadable(path, `it has ${seen}, this sysct knows ${GENERATION_VERSION}`);
  }
  const image = isJsonObject(value) ? namedImageOf(value['image']) : undefined;
  if (image === undefined) throw unreadable(path, 'it names no image');
  return image;
}

function readGeneration(
  name: string,
  container: string,
  entry: string,
  cache: RecordCache<NamedImage>,
): GenerationImage | undefined {
  const isFinished = FINISHED.test(entry);
  if (!isFinished && !BUILDING.test(entry)) return undefined;
  const directory = join(container, entry);
  const path = join(directory, 'generation.json');
  try {
    const read = cache.read(path);
    if (read === undefined) {
      if (currentOf(container) === entry) throw unreadable(path, 'it is not there');
      return undefined;
    }
    const number = Number(/[0-9]+/.exec(entry)?.[0]);
    return { ...read.record, name, number, isFinished, directory, key: read.key };
  } catch (error) {
    if (isFinished) throw error;
    return undefined;
  }
}

function currentOf(container: string): string | undefined {
  try {
    return readlinkSync(join(container, CURRENT));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return undefined;
    throw error;
  }
}

/** An admin may have moved a container to another disk, and left a symbolic link: one that leads nowhere now may do so again. */
function directoriesOf(directory: string): string[] {
  return entriesOf(directory).flatMap((entry) => {
    if (entry.isDirectory()) return [entry.name];
    if (!entry.isSymbolicLink() || entry.name === CURRENT) return [];
    const path = join(directory, entry.name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) throw unreadable(path, 'it is a symbolic link that leads nowhere');
    return stats.isDirectory() ? [entry.name] : [];
  });
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function parsed(text: string, path: string): JsonValue {
  try {
    return parseStrictJsonValue(text, path);
  } catch {
    throw unreadable(path, 'it is not JSON');
  }
}

function unreadable(path: string, reason: string): StoreError {
  return new StoreError(
    'ROOT_UNREADABLE',
    `telling what is needed from ${quote(path)}: ${reason}; so nothing is removed`,
    { hint: 'use the sysct that wrote it, or uninstall the container' },
  );
}
