// SPDX-License-Identifier: Apache-2.0
// Trees with an /exports, for tests of the package contract: from a directory, or file by file.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ContentReader } from '../../../src/container/package/exports.ts';
import type { FileContent } from '../../../src/store/tree/inode.ts';
import { SampleTree } from '../store/sample-tree.ts';

export const FIXTURES = join(import.meta.dirname, '../../fixtures/exports');

export class ExportsTree extends SampleTree {
  readonly signal = new AbortController().signal;

  constructor(files: Readonly<Record<string, string | Buffer>> = {}) {
    super(0);
    for (const [path, bytes] of Object.entries(files)) this.file(`exports/${path}`, bytes);
  }

  /** The /exports of one of the fixtures, modes included. */
  static fixture(name: string): ExportsTree {
    const tree = new ExportsTree();
    const directory = join(FIXTURES, name);
    for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      const real = join(directory, path);
      const stat = statSync(real);
      if (!stat.isFile()) continue;
      tree.file(`exports/${path}`, readFileSync(real), { mode: stat.mode & 0o755 });
    }
    return tree;
  }

  readonly read: ContentReader = (content: FileContent) =>
    Promise.resolve(this.objects.get(content.digest) ?? Buffer.alloc(0));
}
