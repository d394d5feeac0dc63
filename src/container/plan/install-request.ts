// SPDX-License-Identifier: Apache-2.0
import type { WantedImage } from './obtain-image.ts';

/** What the user asks for; unit names are full ones. */
export interface InstallRequest extends WantedImage {
  /** Undefined: from the image's name. */
  readonly name: string | undefined;
  readonly sets: ReadonlyMap<string, string>;
  /** Undefined: as the image says, else runc. */
  readonly launcher: 'runc' | 'chroot' | undefined;
  /** Host path of the OCI runtime; undefined: the first there is. */
  readonly runtime: string | undefined;
  /** The container daemons that everything starts before. */
  readonly daemons: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly requires: readonly string[];
  readonly start: 'start' | 'leave';
}
