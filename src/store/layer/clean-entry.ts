// SPDX-License-Identifier: Apache-2.0
import type { TarEntry } from '../../archive/tar-entry.ts';
import { assertNever } from '../../base/assert-never.ts';
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { cleanPath, ROOT_PATH } from '../tree/entry-path.ts';
import type { FileContent, InodeAttributes } from '../tree/inode.ts';
import type { LayerEntry } from './layer-entry.ts';
import { LayerError } from '../tree/layer-error.ts';
import { SeenPaths } from './seen-paths.ts';
import { meaningOf } from './whiteout.ts';
import { keptXattrs } from './xattr-filter.ts';

/** A regular file whose content is still to come: {@link withContent} makes a LayerEntry of it. */
export interface FileHead extends InodeAttributes {
  readonly kind: 'file';
  readonly path: ByteString;
  /** Bytes that follow, holes included. */
  readonly sizeBytes: number;
}

/** A LayerEntry; of a regular file only the head, because the bytes follow it in the archive. */
export type CleanEntry = FileHead | Exclude<LayerEntry, { readonly kind: 'file' }>;

/** Linux keeps 2^32 - 1 for "no such user". */
export const MAX_OWNER = 2 ** 32 - 2;
export const MAX_DEVICE_MAJOR = 2 ** 12 - 1;
export const MAX_DEVICE_MINOR = 2 ** 20 - 1;
export const MAX_SYMLINK_BYTES = 4095;

/**
 * Makes validated layer entries of the members of one layer's archive; one object a layer, since
 * it remembers the paths it has seen.
 */
export class EntryCleaner {
  readonly #seen = new SeenPaths();

  /** Xattrs left out so far because no layer may set them: for one line in the log. */
  droppedXattrs = 0;

  /**
   * @returns undefined for what is silently left out: AUFS' own files (`.wh..wh.plnk` …). Content that
   *   follows anything but a `file` is to be thrown away.
   * @throws LayerError
   */
  clean(entry: TarEntry): CleanEntry | undefined {
    const path = cleanPath(entry.path);
    const meaning = meaningOf(path);
    switch (meaning.kind) {
      case 'ignored':
        return undefined;
      case 'whiteout':
      case 'opaque':
        this.#claim(path);
        return meaning;
      case 'entry':
        this.#claim(path);
        return this.#inode(entry, path);
    }
  }

  #claim(path: ByteString): void {
    if (this.#seen.claim(path)) return;
    const shown = displayBytes(path) || '/';
    throw new LayerError('DUPLICATE_PATH', `reading a layer: ${shown} comes twice`);
  }

  #inode(entry: TarEntry, path: ByteString): CleanEntry {
    if (path === ROOT_PATH && entry.type !== 'directory') {
      throw new LayerError('ROOT_NOT_DIRECTORY', `reading a layer: the root is a ${entry.type}`);
    }
    if (entry.type === 'hardlink') return { kind: 'hardlink', path, target: linkPath(entry, path) };
    const xattrs = keptXattrs(entry.xattrs);
    this.droppedXattrs += entry.xattrs.size - xattrs.size;
    const uid = bounded(entry.uid, MAX_OWNER, 'user number', path);
    const gid = bounded(entry.gid, MAX_OWNER, 'group number', path);
    const { type, mode, mtimeSeconds, mtimeNanoseconds } = entry;
    switch (type) {
      case 'file': {
        const { sizeBytes } = entry;
        return {
          kind: type,
          path,
          sizeBytes,
          mode,
          uid,
          gid,
          mtimeSeconds,
          mtimeNanoseconds,
          xattrs,
        };
      }
      case 'directory':
      case 'fifo':
        return { kind: type, path, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs };
      case 'symlink': {
        const target = symlinkTarget(entry, path);
        return { kind: type, path, target, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs };
      }
      case 'char':
      case 'block': {
        const deviceMajor = bounded(entry.deviceMajor, MAX_DEVICE_MAJOR, 'device number', path);
        const deviceMinor = bounded(entry.deviceMinor, MAX_DEVICE_MINOR, 'device number', path);
        return {
          kind: type,
          path,
          deviceMajor,
          deviceMinor,
          mode,
          uid,
          gid,
          mtimeSeconds,
          mtimeNanoseconds,
          xattrs,
        };
      }
      default:
        return assertNever(type);
    }
  }
}

/** The entry of a file whose content has arrived. */
export function withContent(head: FileHead, content: FileContent): LayerEntry {
  const { path, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs } = head;
  return { kind: 'file', path, content, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs };
}

/** A hard link must lead to something that can be in a tree. */
function linkPath(entry: TarEntry, path: ByteString): ByteString {
  const target = cleanPath(entry.linkTarget);
  if (target === ROOT_PATH || meaningOf(target).kind !== 'entry') {
    throw new LayerError(
      'INVALID_HARDLINK',
      `reading a layer: ${displayBytes(path)} is a hard link to ${displayBytes(entry.linkTarget) || 'nothing'}`,
    );
  }
  return target;
}

function symlinkTarget(entry: TarEntry, path: ByteString): ByteString {
  const { length } = entry.linkTarget;
  if (length > 0 && length <= MAX_SYMLINK_BYTES) return entry.linkTarget;
  throw new LayerError(
    'INVALID_SYMLINK',
    `reading a layer: the symbolic link ${displayBytes(path)} has a target of ${length} bytes`,
  );
}

function bounded(value: number, max: number, what: string, path: ByteString): number {
  if (value <= max) return value;
  throw new LayerError(
    'NUMBER_OUT_OF_RANGE',
    `reading a layer: ${displayBytes(path)} has the ${what} ${value}`,
  );
}
