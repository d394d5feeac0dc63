// SPDX-License-Identifier: Apache-2.0
import type { Template } from '../../template/parse-template.ts';
import {
  renderTemplate,
  type TemplateContext,
  type TemplateValues,
} from '../../template/render-template.ts';
import { type PackageExports, utf8 } from './exports.ts';
import { EXEC_VARIABLES } from './variables.ts';

/**
 * The text of the image's config.json; undefined when it brings none. The `EXEC_…` values may still be
 * empty: they depend on the config.
 *
 * @throws TemplateError; PackageError INVALID_EXPORTS when the result is not UTF-8.
 */
export function renderConfig(exports: PackageExports, values: TemplateValues): string | undefined {
  const { config } = exports;
  if (config === undefined) return undefined;
  return config.kind === 'verbatim'
    ? utf8(config.bytes, 'exports/config.json')
    : render(config.template, values, { kind: 'json' });
}

/** The text of the image's unit; undefined when it brings none. Throws as {@link renderConfig}. */
export function renderService(exports: PackageExports, values: TemplateValues): string | undefined {
  return (
    exports.service && render(exports.service, values, { kind: 'unit', verbatim: EXEC_VARIABLES })
  );
}

/** The text of the image's tmpfiles.d(5) file; undefined when it brings none, or an empty one. Throws as {@link renderConfig}. */
export function renderTmpfiles(
  exports: PackageExports,
  values: TemplateValues,
): string | undefined {
  const text = exports.tmpfiles && render(exports.tmpfiles, values, { kind: 'tmpfiles' });
  return text?.trim() === '' ? undefined : text;
}

function render(template: Template, values: TemplateValues, context: TemplateContext): string {
  return utf8(renderTemplate(template, values, context), template.what);
}
