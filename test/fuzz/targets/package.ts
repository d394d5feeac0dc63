// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePackageManifest } from '../../../src/container/package/package-manifest.ts';
import {
  parseRuntimeConfig,
  printRuntimeConfig,
} from '../../../src/launch/parse-runtime-config.ts';
import { parseUnit, printUnit, type UnitFile } from '../../../src/systemd/unit-file.ts';
import { parseTemplate, variablesOf } from '../../../src/template/parse-template.ts';
import { renderTemplate, type TemplateContext } from '../../../src/template/render-template.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const EXPORTS = join(import.meta.dirname, '../../fixtures/exports/etcd');
const UNIT: TemplateContext = { kind: 'unit', verbatim: new Set() };
const CONTEXTS: readonly TemplateContext[] = [UNIT, { kind: 'json' }, { kind: 'tmpfiles' }];
const sample = (name: string): Buffer => readFileSync(join(EXPORTS, name));
const valued = (template: Buffer, value: string): Buffer =>
  Buffer.concat([template, Buffer.from(`\0${value}`)]);

/** What an image says of its installation under /exports, and values put into its templates (behind a NUL). */
export const target: FuzzTarget = {
  seeds: [
    sample('manifest.json'),
    valued(sample('config.json.template'), 'a"b\\c'),
    valued(sample('service.template'), 'a\nExecStartPre=/evil %n'),
    valued(sample('tmpfiles.template'), 'a b\\x20"'),
    Buffer.from('[A]\nB=c \\\n# d\n e\n;f\n[G]\nH=\nH=i\\\n'),
    Buffer.from(
      '{"process":{"args":["a"],"capabilities":["CAP_X"]},"linux":{"resources":{"x":1e3}}}',
    ),
  ],
  maxLength: 4096,
  run: (input) => {
    const [source = '', value = 'x'] = input.toString('latin1').split('\0');
    const text = Buffer.from(source, 'latin1').toString('utf8');
    unlessRefused(() => parsePackageManifest(text, 'manifest.json'), 'PackageError');
    assertRuntimeConfig(text);
    assertUnit(text);
    assertTemplate(Buffer.from(source, 'latin1'), Buffer.from(value, 'latin1').toString('utf8'));
  },
};

function assertRuntimeConfig(text: string): void {
  const parse = (json: string) =>
    unlessRefused(
      () => parseRuntimeConfig(json, 'config.json'),
      ...['InvalidDocumentError', 'InvalidJsonError'],
    );
  const config = parse(text);
  if (config === undefined) return;
  // As texts: a limit of 64 bits is a number in one and a bigint in the other when it was written as 1e18.
  const printed = printRuntimeConfig(config);
  const again = parse(printed);
  assert.equal(again && printRuntimeConfig(again), printed);
}

function assertUnit(text: string): void {
  const unit = unlessRefused(() => parseUnit(text, 'a.service'), 'UnitError');
  const printed = unit && unlessRefused(() => printUnit(unit), 'UnitError');
  if (printed !== undefined) assert.deepEqual(parseUnit(printed, 'a.service'), unit);
}

/** That a value changes nothing of a template but the line that it stands in. */
function assertTemplate(source: Buffer, value: string): void {
  const template = unlessRefused(() => parseTemplate(source, 'x.template'), 'TemplateError');
  if (template === undefined) return;
  const names = [...variablesOf(template)];
  const render = (to: string, context: TemplateContext): string | undefined =>
    unlessRefused(
      () => renderTemplate(template, new Map(names.map((name) => [name, to])), context),
      'TemplateError',
    )?.toString('utf8');
  for (const context of CONTEXTS) {
    const [filled, plain] = [render(value, context), render('x', context)];
    if (filled === undefined || plain === undefined || context.kind === 'json') continue;
    assert.equal(filled.split('\n').length, plain.split('\n').length, 'a value made a line');
    if (context.kind !== 'unit') continue;
    const [one, other] = [shapeOf(filled), shapeOf(plain)];
    if (one !== undefined && other !== undefined) assert.equal(one.length, other.length);
  }
}

/** Sections and keys; names and values of them may come from a variable. */
function shapeOf(text: string): readonly string[] | undefined {
  const unit: UnitFile | undefined = unlessRefused(() => parseUnit(text, 'a.service'), 'UnitError');
  return unit?.sections.flatMap(({ entries }) => ['[]', ...entries.map(({ kind }) => kind)]);
}
