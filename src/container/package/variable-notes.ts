// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';
import { parseTemplate, type Template, variablesOf } from '../../template/parse-template.ts';
import type { PackageExports } from './exports.ts';
import type { PlacedHostFile } from './package-templates.ts';

/**
 * What a user should know of an image's variables before installing it, one sentence each: values
 * that nothing uses (a misspelt `--set`), and a unit that needs the sysct program to start.
 *
 * @param set the names given with `--set`.
 */
export function variableNotes(
  exports: PackageExports,
  placed: readonly PlacedHostFile[],
  set: Iterable<string>,
): readonly string[] {
  const templates: readonly (Template | undefined)[] = [
    exports.config?.kind === 'template' ? exports.config.template : undefined,
    exports.service,
    exports.tmpfiles,
    ...placed.map(({ template }) => template),
    ...[...exports.manifest.renameFiles.values()].map((to) => parseTemplate(Buffer.from(to), to)),
  ];
  const used = new Set(
    templates.flatMap((template) => (template === undefined ? [] : [...variablesOf(template)])),
  );
  // PIDFILE is made of the one; volumes of images without a config go to the other.
  if (used.has('PIDFILE')) used.add('RUN_DIRECTORY');
  if (exports.config === undefined) used.add('STATE_DIRECTORY');
  const unused = [...set].filter((name) => !used.has(name));
  const service = exports.service;
  const needsSysct = service !== undefined && variablesOf(service).has('ATOMIC');
  return [
    ...unused.map((name) => `--set ${printable(name)}: the image does not use this variable`),
    ...(needsSysct
      ? [`${printable(service.what)} uses $ATOMIC: the service needs sysct itself to run`]
      : []),
  ];
}
