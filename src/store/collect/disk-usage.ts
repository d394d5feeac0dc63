// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { listDigestFiles } from '../disk/digest-files.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { nameOf } from '../ref/image-name.ts';
import type { RefRecord } from '../ref/ref-record.ts';
import { bytesBelow } from './bytes-below.ts';
import type { ListedImage } from './image-needs.ts';
import { findMountedImages } from './mounted-images.ts';
import { imageOf, RootReader } from './roots.ts';
import { scanRedirects } from './scan-redirects.ts';
import { Stock } from './stock.ts';

/** Sizes are those of files, without what a file system adds. */
export interface ImageUsage {
  /** All names of the image. */
  readonly names: readonly string[];
  readonly imageId: Digest;
  readonly treeId: Digest;
  /** That use it. */
  readonly containers: readonly string[];
  /** Of its files, as one that runs it sees them. */
  readonly logicalBytes: number;
  /** Of all that the store needs for it. */
  readonly storedBytes: number;
  /** Of that, what other images need too. */
  readonly sharedBytes: number;
  /** Of that, what no other image needs. */
  readonly uniqueBytes: number;
}

export interface ContainerUsage {
  readonly name: string;
  /** Of its generations: configs, images with mount points of their own, written-out trees. */
  readonly ownBytes: number;
}

export interface DiskUsage {
  readonly images: readonly ImageUsage[];
  readonly containers: readonly ContainerUsage[];
  readonly logicalBytes: number;
  /** Of what images need. */
  readonly storedBytes: number;
  /** How much less than `logicalBytes` that is; negative where there is little to share. */
  readonly savedBytes: number;
  /** Of `storedBytes`, what removing the images that no container uses would free. */
  readonly reclaimableBytes: number;
  /** Kept for containers, leases and readers, though no image needs it. */
  readonly heldBytes: number;
  readonly garbageBytes: number;
  /** Parts of downloads. */
  readonly downloadBytes: number;
  readonly quarantineBytes: number;
  /** Imports that are under way, or died. */
  readonly importBytes: number;
}

interface KnownImage extends ListedImage {
  readonly record: RefRecord;
  readonly names: string[];
  readonly containers: readonly string[];
}

/**
 * Works out what a store is full of. Without the lock: what changes meanwhile is seen as it was or
 * as it is.
 * @param keptAfter what was removed before it is garbage.
 */
export function measureDiskUsage(layout: StoreLayout, keptAfter: Date): DiskUsage {
  const roots = new RootReader(layout, keptAfter);
  const images = knownImages(roots);
  const stock = new Stock(layout);
  for (const [n, image] of images.entries()) stock.own(image, n, image.containers.length > 0);
  const holders = roots.read().filter(({ kind }) => kind !== 'ref');
  for (const root of holders) {
    stock.hold(root);
    // The tree of a container whose image is in another store.
    const isElsewhere = root.image !== undefined && !existsSync(layout.tree(root.treeId));
    if (isElsewhere && existsSync(root.image)) stock.holdObjects(scanRedirects(root.image));
  }
  const known = new Set(holders.map(({ image }) => image));
  for (const { file, source } of findMountedImages(layout)) {
    if (!known.has(file)) stock.holdObjects(scanRedirects(source));
  }
  const { garbageBytes, usedBytes, unusedBytes, heldBytes } = stock.measure();
  const measured = images.map((image, n): ImageUsage => {
    const { storedBytes, uniqueBytes } = stock.sizeOf(image, n);
    return {
      names: image.names,
      imageId: image.record.imageId,
      treeId: image.treeId,
      containers: image.containers,
      logicalBytes: image.record.contentBytes,
      storedBytes,
      sharedBytes: storedBytes - uniqueBytes,
      uniqueBytes,
    };
  });
  const logicalBytes = measured.reduce((sum, image) => sum + image.logicalBytes, 0);
  const storedBytes = usedBytes + unusedBytes;
  return {
    images: measured,
    containers: containerUsage(layout),
    logicalBytes,
    storedBytes,
    savedBytes: logicalBytes - storedBytes,
    reclaimableBytes: unusedBytes,
    heldBytes,
    garbageBytes,
    downloadBytes: bytesBelow(layout.downloads),
    quarantineBytes: bytesBelow(layout.quarantine),
    importBytes: bytesBelow(layout.transactions),
  };
}

/** Each image once, whatever its names. */
function knownImages(roots: RootReader): KnownImage[] {
  const generations = roots.generations();
  const images = new Map<string, KnownImage>();
  for (const { record } of roots.refs()) {
    const key = `${record.imageId} ${record.treeId} ${record.manifestDigest}`;
    const name = nameOf(record);
    const known = images.get(key);
    if (known !== undefined) {
      known.names.push(name);
      continue;
    }
    const users = generations.filter(({ treeId }) => treeId === record.treeId);
    const containers = [...new Set(users.map((user) => user.name))];
    images.set(key, { ...imageOf(record), record, names: [name], containers });
  }
  return [...images.values()];
}

function containerUsage(layout: StoreLayout): ContainerUsage[] {
  const counted = new Set(
    listDigestFiles(layout.images, '.erofs').map((treeId) => inodeOf(layout.image(treeId))),
  );
  return directoriesIn(layout.containers).map((name) => ({
    name,
    ownBytes: bytesBelow(join(layout.containers, name), counted),
  }));
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function directoriesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
