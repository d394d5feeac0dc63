// SPDX-License-Identifier: Apache-2.0
import type { InlineContent, ObjectContent } from '../tree/inode.ts';

/** Where the writer gets what the tree does not hold. */
export interface ErofsSources {
  /** The bytes of a small file, `content.sizeBytes` of them; not kept by the writer. */
  readInline(content: InlineContent): Uint8Array;
  /** The fs-verity digest (sha256, 4 KiB blocks) of a sealed object, which overlay then requires at open. */
  verityDigest?(content: ObjectContent): Uint8Array | undefined;
}
