// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { parseTemplate, type Template } from '../../template/parse-template.ts';
import {
  assertValuesComplete,
  renderTemplate,
  type TemplateValues,
} from '../../template/render-template.ts';
import {
  type ContentReader,
  type ExportedHostFile,
  EXPORTS_LIMITS,
  type PackageExports,
} from './exports.ts';
import { PackageError } from './package-error.ts';
import { renamedPath } from './renamed-path.ts';

/** A file of hostfs at the host path it goes to, with its content parsed when it is a template. */
export type PlacedHostFile = ExportedHostFile & { readonly template?: Template };

/**
 * Puts the host files of an image at their final paths and reads those that are templates. Passes
 * only when *every* variable in *any* template of the image has a value, so that a user learns of all
 * that is missing at once; rendering cannot fail for that reason afterwards.
 *
 * (With a variable missing in `renameFiles` it is not known which host files are templates: theirs are
 * then named by the next attempt.)
 *
 * @throws TemplateError UNREPLACED_VALUE, INVALID_TEMPLATE; PackageError FORBIDDEN_HOST_PATH, INVALID_EXPORTS
 */
export async function placeHostFiles(
  exports: PackageExports,
  values: TemplateValues,
  read: ContentReader,
  signal: AbortSignal,
): Promise<readonly PlacedHostFile[]> {
  const { config, service, tmpfiles, manifest } = exports;
  const renameTemplates = new Map(
    [...manifest.renameFiles].map(([from, to]) => [
      from,
      parseTemplate(Buffer.from(to), `exports/manifest.json: renameFiles of ${quote(from)}`),
    ]),
  );
  const templates = [
    ...(config?.kind === 'template' ? [config.template] : []),
    ...[service, tmpfiles].filter((template) => template !== undefined),
    ...renameTemplates.values(),
  ];
  const hasRenames = [...renameTemplates.values()].every((template) =>
    isComplete(template, values),
  );
  if (!hasRenames) assertValuesComplete(templates, values);
  const renames = renderRenames(renameTemplates, values);
  const placed: PlacedHostFile[] = [];
  for (const file of exports.hostFiles) {
    const path = renamedPath(file.path, renames);
    if (file.kind === 'file' && manifest.installedFilesTemplate.has(path)) {
      signal.throwIfAborted();
      assertTemplateSize(file.path, file.content.sizeBytes);
      const bytes = await read(file.content, signal);
      const template = parseTemplate(bytes, `exports/hostfs${file.path}`);
      templates.push(template);
      placed.push({ ...file, path, template });
    } else placed.push({ ...file, path });
  }
  assertValuesComplete(templates, values);
  return placed;
}

function assertTemplateSize(path: string, sizeBytes: number): void {
  if (sizeBytes <= EXPORTS_LIMITS.documentBytes) return;
  throw new PackageError(
    'INVALID_EXPORTS',
    `host file ${quote(path)} is a template of ${sizeBytes} bytes, more than the ${EXPORTS_LIMITS.documentBytes} allowed`,
  );
}

function isComplete(template: Template, values: TemplateValues): boolean {
  return template.parts.every((part) => part.kind === 'text' || values.has(part.name));
}

function renderRenames(
  templates: ReadonlyMap<string, Template>,
  values: TemplateValues,
): ReadonlyMap<string, string> {
  return new Map(
    [...templates].map(([from, template]) => {
      const to = renderTemplate(template, values, { kind: 'text' }).toString('utf8');
      return [from, plainPath(to, from)];
    }),
  );
}

// Checked before it is used: a path with `..` must not become harmless by joining it to others.
function plainPath(path: string, from: string): string {
  const components = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') && !components.includes('..') && !/[\0\n]/.test(path)) {
    return `/${components.join('/')}`;
  }
  throw new PackageError(
    'FORBIDDEN_HOST_PATH',
    `renaming host file ${quote(from)}: ${quote(path)} is not an absolute path without ".."`,
    { hint: 'choose other values with --set, or ask the image author' },
  );
}
