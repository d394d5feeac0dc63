// SPDX-License-Identifier: Apache-2.0

/** A path that must exist in the read-only root before something is mounted on it. */
export interface MountPoint {
  /** Absolute inside the root, normalised, without a trailing slash. */
  readonly path: string;
  readonly kind: 'directory' | 'file';
}
