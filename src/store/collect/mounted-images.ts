// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { quote } from '../../base/printable.ts';
import { isErrno } from '../../base/sysct-error.ts';
import { type MountInfo, parseMountInfo, readMountInfo } from '../../sys/mount-info.ts';
import type { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';

/** An EROFS image that is mounted under an overlay of the store's objects. */
export interface MountedImage {
  /** Where its bytes can be read: a loop device, or the image file. */
  readonly source: string;
  /** The image file, as far as it is known; it may be gone. */
  readonly file: string;
  readonly key: string;
}

/**
 * The images of all mounts that need objects of this store, in this mount namespace and in that of
 * PID 1, whoever made them and whatever became of their containers.
 *
 * @throws StoreError ROOT_UNREADABLE for a mount whose image cannot be found.
 */
export function findMountedImages(layout: StoreLayout): MountedImage[] {
  try {
    return readMountedImages(layout);
  } catch (error) {
    // Services stop at any time: an overlay may be seen and its image be gone the moment after.
    if (error instanceof StoreError) return readMountedImages(layout);
    throw error;
  }
}

function readMountedImages(layout: StoreLayout): MountedImage[] {
  const objects = statSync(layout.objects, { bigint: true, throwIfNoEntry: false });
  if (objects === undefined) return [];
  // Only what may be ours is looked at: a layer of somebody else's may lie on a server that is gone.
  const isObjects = (path: string): boolean => {
    const stat = path.endsWith('/objects') ? statOf(path) : undefined;
    return stat?.dev === objects.dev && stat.ino === objects.ino;
  };
  const images = new Map<string, MountedImage>();
  for (const mounts of [readMountInfo(), mountsOfInit()]) {
    for (const mount of mounts) {
      if (mount.type !== 'overlay') continue;
      const [image, ...layers] = lowerLayers(mount);
      if (image === undefined || !(layers.includes(layout.objects) || layers.some(isObjects)))
        continue;
      const mounted = imageAt(image, mounts, mount);
      images.set(mounted.key, mounted);
    }
  }
  return [...images.values()];
}

/** Lower directories of an overlay, the topmost first. Empty names come from the `::` of data-only ones. */
export function lowerLayers({ superOptions }: Pick<MountInfo, 'superOptions'>): string[] {
  const layers: string[] = [];
  for (const option of superOptions) {
    const [, name = '', value = ''] = /^(lowerdir\+?|datadir\+)=(.*)$/.exec(option) ?? [];
    // The kernel escapes backslashes for mountinfo, and overlay colons with backslashes.
    const text = value.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    // Each of these names one layer, whose colons nobody had to escape.
    if (name.endsWith('+')) {
      layers.push(text);
      continue;
    }
    for (const layer of text.match(/(?:\\.|[^:\\])+/g) ?? []) {
      layers.push(layer.replace(/\\(.)/g, '$1'));
    }
  }
  return layers;
}

function imageAt(place: string, mounts: readonly MountInfo[], overlay: MountInfo): MountedImage {
  const mount = mounts.findLast(({ mountPoint, type }) => mountPoint === place && type === 'erofs');
  const source = mount?.source;
  if (mount === undefined || source === undefined || statOf(source) === undefined) {
    throw new StoreError(
      'ROOT_UNREADABLE',
      `telling what the mount ${quote(overlay.mountPoint)} needs: its image at ${quote(place)} is not to be found; so nothing is removed`,
      { hint: `umount ${overlay.mountPoint}, if nothing runs there` },
    );
  }
  const file = backingFile(mount.device) ?? source;
  return { source, file, key: `${mount.device} ${source} ${file}` };
}

/** The file behind a loop device. */
function backingFile(device: string): string | undefined {
  try {
    return readFileSync(`/sys/dev/block/${device}/loop/backing_file`, 'utf8').replace(/\n$/, '');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

function mountsOfInit(): MountInfo[] {
  try {
    return parseMountInfo(readFileSync('/proc/1/mountinfo', 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EINVAL')) return [];
    throw error;
  }
}

function statOf(path: string): { readonly dev: bigint; readonly ino: bigint } | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // Names of another root, or directories that only others may enter: none of ours.
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ESTALE', 'EIO'))
      return undefined;
    throw error;
  }
}
