// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { baseName, joinPath, parentPath } from '../tree/entry-path.ts';
import { LayerError } from '../tree/layer-error.ts';

/** What a cleaned path says by its name (image-spec v1.1.1 layer.md §Whiteouts). */
export type PathMeaning =
  | { readonly kind: 'entry' }
  /** AUFS' own files: no part of the image. */
  | { readonly kind: 'ignored' }
  /** Hides `path` of the layers below. */
  | { readonly kind: 'whiteout'; readonly path: ByteString }
  /** Hides what the layers below have in the directory `path`. */
  | { readonly kind: 'opaque'; readonly path: ByteString };

const WHITEOUT = '.wh.';
const AUFS = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

const ENTRY: PathMeaning = { kind: 'entry' };
const IGNORED: PathMeaning = { kind: 'ignored' };

/**
 * @throws LayerError `INVALID_WHITEOUT` for one that names nothing, `.` or `..` (CVE class: an unpacker that
 *   joins the name deletes the parent of the root), and where a whiteout stands as a directory.
 */
export function meaningOf(path: ByteString): PathMeaning {
  if (!path.includes(WHITEOUT)) return ENTRY;
  const directories = parentPath(path).split('/');
  if (directories.some((name) => name.startsWith(AUFS) && name !== OPAQUE)) return IGNORED;
  if (directories.some((name) => name.startsWith(WHITEOUT))) throw invalid(path);
  const name = baseName(path);
  if (!name.startsWith(WHITEOUT)) return ENTRY;
  if (name === OPAQUE) return { kind: 'opaque', path: parentPath(path) };
  if (name.startsWith(AUFS)) return IGNORED;
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw invalid(path);
  return { kind: 'whiteout', path: joinPath(parentPath(path), hidden) };
}

function invalid(path: ByteString): LayerError {
  return new LayerError(
    'INVALID_WHITEOUT',
    `reading a layer: ${displayBytes(path)} is no whiteout of anything`,
  );
}
