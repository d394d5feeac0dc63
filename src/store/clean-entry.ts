// SPDX-License-Identifier: Apache-2.0
import type { TarEntry } from '../archive/tar-entry.ts';
import type { ByteString } from '../base/byte-string.ts';
import type { FileContent, InodeAttributes } from './inode.ts';
import type { LayerEntry } from './layer-entry.ts';

/** A regular file whose content is still to come: {@link withContent} makes a LayerEntry of it. */
export interface FileHead extends InodeAttributes {
  readonly kind: 'file';
  readonly path: ByteString;
  /** Bytes that follow, holes included. */
  readonly sizeBytes: number;
}

/** A LayerEntry; of a regular file only the head, because the bytes follow it in the archive. */
export type CleanEntry = FileHead | Exclude<LayerEntry, { readonly kind: 'file' }>;

/**
 * Makes validated layer entries of the members of one layer's archive; one object a layer, since
 * it remembers the paths it has seen.
 */
export class EntryCleaner {
  /** Xattrs left out so far because no layer may set them: for one line in the log. */
  droppedXattrs = 0;

  /**
   * @returns undefined for what is silently left out: AUFS' own files (`.wh..wh.plnk` …). Content that
   *   follows anything but a `file` is to be thrown away.
   * @throws LayerError
   */
  clean(entry: TarEntry): CleanEntry | undefined {
    void entry;
    throw new Error('not yet');
  }
}

export function withContent(head: FileHead, content: FileContent): LayerEntry {
  void [head, content];
  throw new Error('not yet');
}
