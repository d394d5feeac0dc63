// SPDX-License-Identifier: Apache-2.0

/**
 * The directories that a tmpfiles.d(5) text makes for good (`d`, `D`, `v`, `q`, `Q`), outside /run,
 * which the next boot empties anyway. Lines with specifiers are passed over: they are not ours to expand.
 */
export function directoriesOfTmpfiles(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*[dDvqQ][-+!=~^$]*\s+(?:"((?:[^"\\]|\\.)*)"|(\/\S*))/.exec(line);
    const path = match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2];
    if (path === undefined || !path.startsWith('/')) return [];
    const plain = path.replaceAll('%%', '\0');
    if (plain.includes('%') || /^\/(run|var\/run)(\/|$)/.test(plain)) return [];
    return [plain.replaceAll('\0', '%').replace(/(?<=.)\/+$/, '')];
  });
}
