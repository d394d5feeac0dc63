// SPDX-License-Identifier: Apache-2.0

/**
 * Where a host file goes: its path is built up component by component, and each path on the way that
 * is a key of `renames` is replaced by its value before the next component is added. So directories
 * can be renamed, and renames chain.
 */
export function renamedPath(path: string, renames: ReadonlyMap<string, string>): string {
  let renamed = '';
  for (const component of path.split('/').slice(1)) {
    renamed = `${renamed === '/' ? '' : renamed}/${component}`;
    renamed = renames.get(renamed) ?? renamed;
  }
  return renamed;
}
