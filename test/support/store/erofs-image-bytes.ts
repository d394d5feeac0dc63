// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErofsSources } from '../../../src/store/erofs/erofs-sources.ts';
import {
  type ErofsImageSummary,
  writeErofsImage,
} from '../../../src/store/erofs/write-erofs-image.ts';
import type { Tree } from '../../../src/store/tree/tree.ts';
import { temporaryDirectory } from '../tmp.ts';

/** {@link writeErofsImage} into memory. */
export function erofsImageBytes(
  tree: Tree,
  sources: ErofsSources,
): ErofsImageSummary & { readonly bytes: Buffer } {
  using tmp = temporaryDirectory('erofs');
  const path = join(tmp.directory, 'image');
  const fd = openSync(path, 'wx');
  try {
    return { ...writeErofsImage(tree, fd, sources), bytes: readFileSync(path) };
  } finally {
    closeSync(fd);
  }
}
