// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate } from '../../../src/template/parse-template.ts';
import {
  assertValuesComplete,
  renderTemplate,
  type TemplateContext,
} from '../../../src/template/render-template.ts';

const JSON_TEXT: TemplateContext = { kind: 'json' };
const TEXT: TemplateContext = { kind: 'text' };
const TMPFILES: TemplateContext = { kind: 'tmpfiles' };
const UNIT: TemplateContext = { kind: 'unit', verbatim: new Set(['EXEC_START']) };

function render(
  context: TemplateContext,
  template: string,
  values: Readonly<Record<string, string>>,
): string {
  const parsed = parseTemplate(Buffer.from(template), 'exports/x');
  return renderTemplate(parsed, new Map(Object.entries(values)), context).toString('utf8');
}

describe('renderTemplate', () => {
  for (const context of [JSON_TEXT, TEXT, TMPFILES, UNIT]) {
    describe(`for ${context.kind}`, () => {
      it('puts ordinary values in as they are', () => {
        assert.equal(
          render(context, 'x $A-${B} $$', { A: '/var/lib', B: '17' }),
          'x /var/lib-17 $',
        );
      });
      it('leaves a $ in a value alone', () => {
        assert.equal(render(context, '"$A"', { A: '$B${B}$$', B: 'no' }), '"$B${B}$$"');
      });
      it('names all missing variables at once', () => {
        assert.throws(() => render(context, '$A\n $B $C $A', { C: '' }), {
          code: 'UNREPLACED_VALUE',
          message: /unreplaced value for: 'A' \(exports\/x:1:1\), 'B' \(exports\/x:2:2\)$/,
          hint: 'give them with --set A=… --set B=…',
        });
      });
      it('has no value for the names of object members', () => {
        assert.throws(() => render(context, '$constructor', {}), { code: 'UNREPLACED_VALUE' });
      });
    });
  }

  it('copies bytes that are not UTF-8 and writes values as UTF-8', () => {
    const template = parseTemplate(Buffer.from([0xff, 0x24, 0x58, 0xfe]), 'x');
    assert.deepEqual(
      renderTemplate(template, new Map([['X', 'é']]), TEXT),
      Buffer.from([0xff, 0xc3, 0xa9, 0xfe]),
    );
  });
});

describe('assertValuesComplete', () => {
  it('names a variable once, over all templates', () => {
    const one = parseTemplate(Buffer.from('$A $B'), 'one');
    const two = parseTemplate(Buffer.from('\n$B $C'), 'two');
    assert.throws(() => assertValuesComplete([one, two], new Map()), {
      message: /'A' \(one:1:1\), 'B' \(one:1:4\), 'C' \(two:2:4\)$/,
    });
  });
  it('passes when all have values', () => {
    const template = parseTemplate(Buffer.from('$A'), 'one');
    assert.doesNotThrow(() => assertValuesComplete([template], new Map([['A', '']])));
  });
});

describe('JSON', () => {
  const inString: readonly (readonly [string, string, string])[] = [
    ['a quote', '["A=$A"]', 'x","y'],
    ['a backslash', '["A=$A"]', 'C:\\temp\\'],
    ['a line feed', '["A=$A"]', 'one\ntwo'],
    ['NUL', '["A=$A"]', '\0'],
    ['other languages', '["A=$A"]', 'größe 🎉 \u2028'],
    ['a quote behind an escaped one', '["\\"A=$A"]', '"'],
    ['a quote behind an escaped backslash', '["\\\\A=$A"]', '"'],
  ];
  for (const [name, template, value] of inString) {
    it(`a40: keeps ${name} inside the string it stands in`, () => {
      const [text] = JSON.parse(render(JSON_TEXT, template, { A: value })) as [string];
      assert.ok(text.endsWith(`A=${value}`));
    });
  }

  it('takes a fragment outside strings as it is: ADDTL_MOUNTS', () => {
    const mounts = ',{"destination":"/x]","options":["ro"]}';
    assert.deepEqual(JSON.parse(render(JSON_TEXT, '[{"a":1}\n$M]', { M: mounts })), [
      { a: 1 },
      { destination: '/x]', options: ['ro'] },
    ]);
    assert.equal(render(JSON_TEXT, '[{"a":1}\n$M]', { M: '' }), '[{"a":1}\n]');
  });
  it('takes a fragment outside strings as it is: ALL_PROCESS_CAPABILITIES', () => {
    const value = '"CAP_CHOWN",\n"CAP_KILL"';
    assert.deepEqual(JSON.parse(render(JSON_TEXT, '{"bounding":[$A]}', { A: value })), {
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
    });
  });
  for (const value of [
    '"',
    '"\\"',
    '{',
    ']',
    '}{',
    '],"root":{"readonly":false},"x":[',
    '[}',
    '"]',
  ]) {
    it(`refuses the fragment ${value}, which reaches beyond its place`, () => {
      assert.throws(() => render(JSON_TEXT, '{"mounts":[$M]}', { M: value }), {
        code: 'UNSAFE_VALUE',
        message: /^exports\/x:1:12: the value .* of M is not a balanced JSON fragment$/,
      });
    });
  }
  it('refuses a value behind a lone backslash', () => {
    assert.throws(() => render(JSON_TEXT, '"\\$A"', { A: 'n' }), { code: 'UNSAFE_VALUE' });
  });
});

describe('unit files', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['doubles %', 'Description=$A x\n', '100% of %n', 'Description=100%% of %%n x\n'],
    ['leaves % at the end of a line', 'CPUQuota=$A\n', '20%', 'CPUQuota=20%\n'],
    ['leaves % at the end of the file', 'CPUQuota=$A', '20%', 'CPUQuota=20%'],
    ['leaves % before trailing space', 'CPUQuota=$A \t\r\n', '20%', 'CPUQuota=20% \t\r\n'],
    ['doubles all % but the last', 'D=$A\n', '%a%%', 'D=%%a%%%\n'],
    ['doubles % before another variable', 'D=$A$B\n', '%', 'D=%%%\n'],
    ['keeps words and quotes', 'ExecStart=/x $A\n', '-a "b c"', 'ExecStart=/x -a "b c"\n'],
    ['takes EXEC_START as it is', 'ExecStart=$EXEC_START\n', '/x %%h', 'ExecStart=/x %%h\n'],
    ['takes no value for an empty one', 'After=a $A\n', '', 'After=a \n'],
  ];
  for (const [name, template, value, expected] of cases) {
    it(name, () => {
      const values = { A: value, B: '%', EXEC_START: value };
      assert.equal(render(UNIT, template, values), expected);
    });
  }
  const attacks: readonly (readonly [string, string])[] = [
    ['a directive of its own', 'x\nExecStartPre=/bin/rm -rf /'],
    ['a carriage return', 'x\rUser=root'],
    ['a NUL byte', 'x\0'],
    ['an escape sequence', '\u001b[2J'],
    ['a backslash at its end', 'x\\'],
    ['half a surrogate pair', '\ud800'],
  ];
  for (const [name, value] of attacks) {
    it(`a40: refuses a value with ${name}, also for verbatim variables`, () => {
      for (const template of ['Description=$A\nUser=nobody\n', 'ExecStart=$EXEC_START\n']) {
        assert.throws(() => render(UNIT, template, { A: value, EXEC_START: value }), {
          code: 'UNSAFE_VALUE',
        });
      }
    });
  }
});

describe('tmpfiles.d', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['a plain path', 'd $A 0700 0 0 - -', '/var/lib/etcd', 'd /var/lib/etcd 0700 0 0 - -'],
    ['a space', 'd $A/x 0700', '/a b', 'd /a\\ b/x 0700'],
    ['letters with the byte 0xa0', 'L /à/à à - - $A', 'c d', 'L /à/à à - - c\\ d'],
    ['a space that is none to systemd', 'd $A', '/a\u00a0b', 'd /a\u00a0b'],
    ['a second line', 'd /x\nd $A', '/a b', 'd /x\nd /a\\ b'],
    ['quotes and backslashes', 'd "$A"', `/a"b'c\\d`, `d "/a\\"b\\'c\\\\d"`],
    ['a specifier', 'd /$A', '%b', 'd /%%b'],
    ['a space in the argument', 'L /l - - - - $A/x', '/a b', 'L /l - - - - /a b/x'],
    ['a backslash in the argument', 'f /l - - - - a$A', '\\t%', 'f /l - - - - a\\\\t%%'],
    ['an argument behind quoted fields', 'w "/a b" - "-" - - $A', 'c d', 'w "/a b" - "-" - - c d'],
    ['the argument of other types', 't /l - - - - user.x=$A', 'c d', 't /l - - - - user.x=c\\ d'],
  ];
  for (const [name, template, value, expected] of cases) {
    it(`writes ${name}`, () => assert.equal(render(TMPFILES, template, { A: value }), expected));
  }
  it('counts the fields that values make', () => {
    const values = { A: '/a b', B: 'c d' };
    assert.equal(render(TMPFILES, 'L $A - - - - $B', values), 'L /a\\ b - - - - c d');
  });
  for (const value of ['a\nr /etc/passwd', 'a\rb', 'a\0b', '\ud800']) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => render(TMPFILES, 'd /$A', { A: value }), { code: 'UNSAFE_VALUE' });
    });
  }
});
