// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isVariableName,
  parseTemplate,
  type TemplatePart,
  variablesOf,
} from '../../../src/template/parse-template.ts';

function parts(text: string): string[] {
  return parseTemplate(Buffer.from(text), 'x').parts.map((part: TemplatePart) =>
    part.kind === 'text' ? part.bytes : `<${part.name}>`,
  );
}

describe('parseTemplate', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['plain', ['plain']],
    ['$NAME', ['<NAME>']],
    ['${NAME}', ['<NAME>']],
    ['a$NAME/b', ['a', '<NAME>', '/b']],
    ['${NAME}ctl', ['<NAME>', 'ctl']],
    ['$A$B${C}', ['<A>', '<B>', '<C>']],
    ['$_x1-', ['<_x1>', '-']],
    ['$$', ['$']],
    ['$$MAINPID', ['$MAINPID']],
    ['$$$X', ['$', '<X>']],
    ['$${X}', ['${X}']],
    ['$Xé', ['<X>', 'Ã©']],
  ];
  for (const [text, expected] of cases) {
    it(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(parts(text), expected));
  }

  it('keeps bytes that are not UTF-8', () => {
    const source = Buffer.from([0xff, 0x24, 0x58, 0xfe, 0x00]);
    assert.deepEqual(parseTemplate(source, 'x').parts, [
      { kind: 'text', bytes: '\u00ff' },
      { kind: 'variable', name: 'X', line: 1, column: 2 },
      { kind: 'text', bytes: '\u00fe\u0000' },
    ]);
  });

  it('knows where a variable stands, in characters', () => {
    const [, first, , second] = parseTemplate(Buffer.from('é\nüü $A\n$B'), 'x').parts;
    assert.deepEqual(first, { kind: 'variable', name: 'A', line: 2, column: 4 });
    assert.deepEqual(second, { kind: 'variable', name: 'B', line: 3, column: 1 });
  });

  it('takes time in proportion to a hostile template’s size', () => {
    const source = Buffer.from('$A '.repeat(1_000_000));
    const start = performance.now();
    assert.equal(parseTemplate(source, 'x').parts.length, 2_000_000);
    assert.ok(performance.now() - start < 60_000);
  });

  for (const bad of ['$', '$(', '$5', '${a-b}', '${}', '${', '${X', '$é', '$ X', '$-X']) {
    it(`refuses ${JSON.stringify(bad)} and says where`, () => {
      assert.throws(
        () => parseTemplate(Buffer.from(`one\ntwo ${bad}`), 'exports/service.template'),
        { code: 'INVALID_TEMPLATE', message: /^exports\/service\.template:2:5: "\$/ },
      );
    });
  }
});

describe('variablesOf', () => {
  it('names each variable once, in order', () => {
    const template = parseTemplate(Buffer.from('$B $A ${B} $$C'), 'x');
    assert.deepEqual([...variablesOf(template)], ['B', 'A']);
  });
});

describe('isVariableName', () => {
  it('takes letters, digits and _', () => assert.ok(isVariableName('_A9z')));
  for (const text of ['', '9A', 'a-b', 'é', 'A ', 'A\n']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(isVariableName(text), false));
  }
});
