// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { cleanPath, ROOT_PATH } from '../tree/entry-path.ts';
import { LayerError } from '../tree/layer-error.ts';
import { MAX_DEVICE_MAJOR, MAX_DEVICE_MINOR, MAX_OWNER, MAX_SYMLINK_BYTES } from './clean-entry.ts';
import type { LayerEntry } from './layer-entry.ts';
import { meaningOf } from './whiteout.ts';
import { keptXattrs } from './xattr-filter.ts';

/**
 * Whether an entry of a layer file is one that {@link ./clean-entry.ts} lets in: a checksum says that it
 * is as it was written, not by whom.
 */
export function isCleanEntry(entry: LayerEntry): boolean {
  const { kind, path } = entry;
  if (kind === 'whiteout') return isCleanPath(path) && path !== ROOT_PATH;
  if (kind === 'opaque') return isCleanPath(path);
  if (!isEntryPath(path) || (path === ROOT_PATH && kind !== 'directory')) return false;
  if (kind === 'hardlink') return isEntryPath(entry.target) && entry.target !== ROOT_PATH;
  if (entry.uid > MAX_OWNER || entry.gid > MAX_OWNER) return false;
  if (!areCleanXattrs(entry.xattrs)) return false;
  switch (kind) {
    case 'symlink':
      return entry.target.length > 0 && entry.target.length <= MAX_SYMLINK_BYTES;
    case 'char':
    case 'block':
      return entry.deviceMajor <= MAX_DEVICE_MAJOR && entry.deviceMinor <= MAX_DEVICE_MINOR;
    case 'file':
    case 'directory':
    case 'fifo':
      return true;
  }
}

function isEntryPath(path: ByteString): boolean {
  return isCleanPath(path) && isFine(() => meaningOf(path).kind === 'entry');
}

function isCleanPath(path: ByteString): boolean {
  return !path.includes('\0') && isFine(() => cleanPath(path) === path);
}

function areCleanXattrs(xattrs: ReadonlyMap<ByteString, Buffer>): boolean {
  return isFine(() => keptXattrs(xattrs).size === xattrs.size);
}

function isFine(look: () => boolean): boolean {
  try {
    return look();
  } catch (error) {
    if (error instanceof LayerError) return false;
    throw error;
  }
}
