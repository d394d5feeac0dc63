// SPDX-License-Identifier: Apache-2.0
import { GENERATION_IMAGE } from '../../store/collect/generation-images.ts';
import type { ContainerParts } from './container-parts.ts';

/** The generation's root, inside its directory: an EROFS image, or the written-out tree. */
export const ROOT_IMAGE = GENERATION_IMAGE;
export const ROOT_TREE = 'rootfs';

/** Host path of a generation's directory. */
export function bundlePath(name: string, number: number, parts: ContainerParts): string {
  return `${parts.storePath}/containers/${name}/${number}`;
}

/** Host path of what a running generation has outside the store. */
export function runningPath(name: string, number: number): string {
  return `/run/sysct/${name}/${number}`;
}

/** Host path where the root of a generation is mounted while its service runs. */
export function mountedRoot(name: string, number: number): string {
  return `${runningPath(name, number)}/rootfs`;
}
