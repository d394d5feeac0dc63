// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { displayBytes } from '../../base/byte-string.ts';
import { LayerError } from './layer-error.ts';

/** Linux' PATH_MAX and NAME_MAX. */
const MAX_PATH_BYTES = 4096;
const MAX_COMPONENT_BYTES = 255;

/** How many directories may lie one in another: no walk of a tree goes deeper. */
export const MAX_DEPTH = 255;

export const ROOT_PATH = '' as ByteString;

/**
 * A path of an archive as components relative to the root, joined by single slashes: `.`, empty ones and a
 * leading or trailing slash fall away, `..` takes back the one before it and stops at the root.
 * The root itself is the empty path.
 * @throws LayerError `PATH_TOO_LONG`
 */
export function cleanPath(raw: ByteString): ByteString {
  const components: string[] = [];
  for (const component of raw.split('/')) {
    if (component === '' || component === '.') continue;
    if (component === '..') components.pop();
    else components.push(component);
  }
  const path = components.join('/') as ByteString;
  const tooLong =
    path.length > MAX_PATH_BYTES ||
    components.length > MAX_DEPTH ||
    components.some((component) => component.length > MAX_COMPONENT_BYTES);
  if (tooLong) {
    throw new LayerError(
      'PATH_TOO_LONG',
      `reading a layer: the path ${displayBytes(path.slice(0, 80) as ByteString)}… is too long or too deep`,
    );
  }
  return path;
}

/** The path of the directory that `path` lies in; the root's is the root. */
export function parentPath(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) as ByteString;
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}

export function joinPath(directory: ByteString, name: string): ByteString {
  return (directory === '' ? name : `${directory}/${name}`) as ByteString;
}
