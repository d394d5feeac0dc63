// SPDX-License-Identifier: Apache-2.0
import { SysctError } from '../../base/sysct-error.ts';

export type LayerErrorCode =
  /** Longer, deeper, or with a longer component than Linux could hold. */
  | 'PATH_TOO_LONG'
  /** The root of the tree would stop being a directory. */
  | 'ROOT_NOT_DIRECTORY'
  /** `.wh.` alone, of `.` or `..`, or as the name of a directory. */
  | 'INVALID_WHITEOUT'
  /** Two entries of one layer name the same path. */
  | 'DUPLICATE_PATH'
  | 'INVALID_SYMLINK'
  /** A user, group or device number that Linux could not hold. */
  | 'NUMBER_OUT_OF_RANGE'
  | 'INVALID_XATTR'
  /** The parent of an entry is a file that the same layer brought, or the other way round. */
  | 'PARENT_NOT_DIRECTORY'
  /** The parent of an entry is a symbolic link that leads to no directory of the tree. */
  | 'DANGLING_PARENT'
  /** A hard link to nothing, to a directory, to itself, or to an entry that comes later. */
  | 'INVALID_HARDLINK'
  /** The children of something that is not a directory are to be hidden. */
  | 'OPAQUE_NOT_DIRECTORY';

/** A layer that no tree can be made of. */
export class LayerError extends SysctError<LayerErrorCode> {}
