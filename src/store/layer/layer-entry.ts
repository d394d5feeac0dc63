// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import type { FileContent, InodeAttributes } from '../tree/inode.ts';

/**
 * One validated entry of a layer, as a file in `layers/` keeps it: paths cleaned to components
 * relative to the root, whiteouts told apart from files (image-spec v1.1.1 layer.md §Whiteouts),
 * forbidden xattrs gone. The order is that of the archive.
 */
export type LayerEntry =
  | ({
      readonly kind: 'file';
      readonly path: ByteString;
      readonly content: FileContent;
    } & InodeAttributes)
  | ({ readonly kind: 'directory'; readonly path: ByteString } & InodeAttributes)
  | ({
      readonly kind: 'symlink';
      readonly path: ByteString;
      readonly target: ByteString;
    } & InodeAttributes)
  | ({
      readonly kind: 'char' | 'block';
      readonly path: ByteString;
      readonly deviceMajor: number;
      readonly deviceMinor: number;
    } & InodeAttributes)
  | ({ readonly kind: 'fifo'; readonly path: ByteString } & InodeAttributes)
  /** `target` is a cleaned path like `path`. */
  | { readonly kind: 'hardlink'; readonly path: ByteString; readonly target: ByteString }
  /** Removes `path` of the lower layers. */
  | { readonly kind: 'whiteout'; readonly path: ByteString }
  /** Removes the lower layers' children of the directory `path`; the empty path is the root. */
  | { readonly kind: 'opaque'; readonly path: ByteString };
