// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory extends Disposable {
  readonly directory: string;
}

/**
 * A fresh empty directory, mode 0700, removed with everything in it at the end of the scope:
 * `using tmp = temporaryDirectory('store')`.
 */
export function temporaryDirectory(purpose: string, parent: string = tmpdir()): TemporaryDirectory {
  const directory = mkdtempSync(join(parent, `sysct-${purpose}-`));
  return {
    directory,
    [Symbol.dispose]: () => {
      // Who was killed may have left somebody behind who still writes there.
      rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}
