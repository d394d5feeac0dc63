// SPDX-License-Identifier: Apache-2.0
import { tmpfilesLines } from './tmpfiles-lines.ts';

/**
 * The directories that a tmpfiles.d(5) text makes for good (`d`, `D`, `v`, `q`, `Q`), outside /run,
 * which the next boot empties anyway. Lines with specifiers that differ from host to host are passed over.
 */
export function directoriesOfTmpfiles(text: string): readonly string[] {
  return tmpfilesLines(text)
    .filter(
      ({ type, path }) => /^[dDvqQ]/.test(type) && !isVolatile(path) && !/%[a-zA-Z]/.test(path),
    )
    .map(({ path }) => path);
}

function isVolatile(path: string): boolean {
  return /^\/(run|var\/run)(\/|$)/.test(path);
}
