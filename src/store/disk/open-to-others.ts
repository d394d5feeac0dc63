// SPDX-License-Identifier: Apache-2.0
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StoreLayout } from './layout.ts';

/**
 * True when others than root may read what is in `directory`. A store is made for root alone; one that
 * hosts read over a network is opened by its admin (`chmod -R a+rX`), and what is written to it from
 * then on is as open as the directory it goes to (docs/guide/shared-store.md).
 */
export function isOpenToOthers(directory: string): boolean {
  return (statSync(directory).mode & 0o005) === 0o005;
}

/** The mode of a directory made in `parent`. */
export function directoryModeIn(parent: string): number {
  return isOpenToOthers(parent) ? 0o755 : 0o700;
}

// An NFS client asks the server whether it may execute, even where the file is the lower one of an
// overlay whose own says that it may; and what an object is for only its trees know.
const OBJECT_BITS = 0o555;
const FILE_BITS = 0o444;

/** Lets others read, and objects execute, the files staged in `directory`, whatever the umask was. */
export function openStagedToOthers(directory: string): void {
  openFiles(join(directory, 'objects'), OBJECT_BITS);
  openFiles(directory, FILE_BITS);
}

/** Lets others read the file `path`, where they may read what is in the directory of the store that it goes to. */
export function openLikePlace(layout: StoreLayout, path: string, place: string): void {
  if (!isOpenToOthers(dirname(place))) return;
  openFile(path, place.startsWith(`${layout.objects}/`) ? OBJECT_BITS : FILE_BITS);
}

function openFiles(directory: string, bits: number): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) openFiles(path, bits);
    else if (entry.isFile()) openFile(path, bits);
  }
}

function openFile(path: string, bits: number): void {
  chmodSync(path, (statSync(path).mode & 0o777) | bits);
}
