// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';

/**
 * One thing that a container adds to the host, outside the store. Recorded in the journal before it
 * happens and in the generation afterwards, so it can be undone by anyone who reads either.
 * Paths are host paths; the order of a list is the order of creation.
 */
export type HostChange =
  /** Only directories that did not exist; removed again if they are empty. */
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** Of the content we write: a file with another digest has been edited and is not ours to remove. */
      readonly digest: Digest;
      /** Why it is there, for `list` and `--display`. */
      readonly role: HostFileRole;
    }
  | {
      readonly kind: 'symlink';
      readonly path: string;
      readonly target: string;
      readonly role: HostFileRole;
    };

export type HostFileRole = 'unit' | 'drop-in' | 'tmpfiles' | 'host-file' | 'beside' | 'enablement';

/** Content that goes with the `file` changes of a plan, by path. */
export type HostContents = ReadonlyMap<string, () => Promise<Buffer>>;
