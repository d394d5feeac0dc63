// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { ContentSources } from '../checkout/content-sources.ts';
import { writeWhole } from '../disk/write-whole.ts';
import type { ObjectContent } from '../tree/inode.ts';
import { verifiedObject } from './verified-object.ts';

/** The contents of a store that others write: objects are hashed while they are copied. */
export class VerifiedSources extends ContentSources {
  override copyObject(content: ObjectContent, to: Buffer): void {
    const pieces = verifiedObject(content, this.objectPath(content));
    const file = openSync(to, 'wx', 0o600);
    try {
      for (const piece of pieces) writeWhole(file, piece);
    } catch (error) {
      unlinkSync(to);
      throw error;
    } finally {
      closeSync(file);
    }
  }
}
