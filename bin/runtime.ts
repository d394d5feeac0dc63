// SPDX-License-Identifier: Apache-2.0
import { chmodSync, constants, copyFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../src/sys/process.ts';

/** Of the libraries that Node is linked with, those that a bare Debian does not have. */
const LIBRARIES = ['libatomic.so.1'];

/**
 * Copies the runtime to `directory/node`, with the libraries that hosts may lack beside it, where it
 * is told to look first. That note in its header is the only change to what the Node project built.
 */
export async function copyRuntime(packageDir: string, directory: string): Promise<void> {
  const node = join(directory, 'node');
  copyFileSync(join(packageDir, 'bin/node'), node, constants.COPYFILE_FICLONE);
  chmodSync(node, 0o755);
  const linked = (await runChecked('ldd', [node])).stdout.toString('utf8');
  for (const library of LIBRARIES) {
    const found = linked.split('\n').find((line) => line.trim().startsWith(`${library} =>`));
    // Not every architecture is linked with all of them.
    const path =
      found === undefined ? undefined : / => (?<path>\/\S+)/.exec(found)?.groups?.['path'];
    if (found !== undefined && path === undefined) throw new Error(`the build needs ${library}`);
    if (path !== undefined) copyFileSync(realpathSync(path), join(directory, library));
  }
  await runChecked('patchelf', ['--set-rpath', '$ORIGIN', node]);
}
