// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate } from '../../src/template/parse-template.ts';
import { renderTemplate, type TemplateContext } from '../../src/template/render-template.ts';
import { fc } from '../support/properties.ts';

const TEXT: TemplateContext = { kind: 'text' };
const CONTEXTS: readonly TemplateContext[] = [
  TEXT,
  { kind: 'json' },
  { kind: 'tmpfiles' },
  { kind: 'unit', verbatim: new Set() },
];
// What values of real installations are made of: no white space, quotes, backslashes, % or control characters.
const ordinary = fc.string({ unit: fc.constantFrom(...'azAZ09/_.:,=@+-$é') });
const name = fc.stringMatching(/^[_a-zA-Z][_a-zA-Z0-9]{0,8}$/);
const bytes = fc.uint8Array({ maxLength: 40 });

function render(source: string | Uint8Array, value: string, context: TemplateContext): Buffer {
  const template = parseTemplate(Buffer.from(source as string), 'x');
  return renderTemplate(template, new Map([['X', value]]), context);
}

describe('templates', () => {
  it('without a $ come out byte by byte', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(...CONTEXTS), (source, context) => {
        const plain = source.filter((byte) => byte !== 0x24);
        assert.deepEqual(render(plain, '', context), Buffer.from(plain));
      }),
    );
  });

  it('with every $ doubled are the text that they came from', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const whole = text.toWellFormed();
        assert.equal(render(whole.replaceAll('$', '$$$$'), '', TEXT).toString(), whole);
      }),
    );
  });

  it('take ordinary values as they are in every context, as they always did', () => {
    fc.assert(
      fc.property(ordinary, fc.constantFrom(...CONTEXTS), (value, context) => {
        assert.equal(render('"a $X ${X}b"', value, context).toString(), `"a ${value} ${value}b"`);
      }),
    );
  });

  it('read $NAME up to the last character of the name', () => {
    fc.assert(
      fc.property(name, fc.constantFrom('', '-', ' ', 'é', '.', '/'), (variable, next) => {
        const template = parseTemplate(Buffer.from(`$${variable}${next}`), 'x');
        const values = new Map([[variable, 'v']]);
        assert.equal(renderTemplate(template, values, TEXT).toString(), `v${next}`);
      }),
    );
  });
});

describe('values in JSON', () => {
  it('are the end of the string they stand in, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const parsed: unknown = JSON.parse(
          render('{"a\\\\\\"":["X=$X"],"b":1}', value, { kind: 'json' }).toString(),
        );
        assert.deepEqual(parsed, { 'a\\"': [`X=${value}`], b: 1 });
      }),
    );
  });

  it('outside strings either leave the rest of the document alone or are refused', () => {
    const fragment = fc.string({ unit: fc.constantFrom(...'"\\[]{},:1 \n') });
    fc.assert(
      fc.property(fragment, (value) => {
        let text: string;
        try {
          text = render('{"a":[1 $X],"z":2}', value, { kind: 'json' }).toString();
        } catch {
          return;
        }
        const parsed = parsedOrUndefined(text);
        if (parsed === undefined) return;
        assert.deepEqual(Object.keys(parsed), ['a', 'z']);
        assert.equal(parsed['z'], 2);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('values in units and tmpfiles.d', () => {
  it('add no line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(...CONTEXTS.slice(2)),
        (value, context) => {
          let text: string;
          try {
            text = render('A=b\nC=$X d\nE=f\n', value, context).toString();
          } catch {
            return;
          }
          const lines = text.split(/[\n\r\0]/);
          assert.deepEqual([lines.length, lines[0], lines[2], lines[3]], [4, 'A=b', 'E=f', '']);
        },
      ),
    );
  });
});

function parsedOrUndefined(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
