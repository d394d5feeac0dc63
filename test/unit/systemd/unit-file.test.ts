// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseUnit,
  printUnit,
  type UnitFile,
  unitSection,
  unitValues,
} from '../../../src/systemd/unit-file.ts';

const EXAMPLE = `; about
# this unit

[Unit]
Description = A thing; with = signs  
After=a.service
# between
After=b.service

[Service]
ExecStart=/bin/x one \\
  # not part of it
  two \\\\\\
   three
Environment=

[Unit]
After=c.service
[X-Sysct]
Some Key=1
`;

describe('parseUnit', () => {
  const unit = parseUnit(EXAMPLE, 'x');
  it('keeps comments, order, repeated keys and sections', () => {
    assert.deepEqual(unit.head, ['; about', '# this unit']);
    assert.deepEqual(
      unit.sections.map(({ name }) => name),
      ['Unit', 'Service', 'Unit', 'X-Sysct'],
    );
    assert.deepEqual(unit.sections[0]?.entries, [
      { kind: 'directive', key: 'Description', value: 'A thing; with = signs' },
      { kind: 'directive', key: 'After', value: 'a.service' },
      { kind: 'comment', text: '# between' },
      { kind: 'directive', key: 'After', value: 'b.service' },
    ]);
  });
  it('joins continued lines by a space and skips comments in them', () => {
    assert.deepEqual(unitValues(unit, 'Service', 'ExecStart'), ['/bin/x one    two \\\\    three']);
  });
  it('finds the values of repeated sections, and empty ones', () => {
    assert.deepEqual(unitValues(unit, 'Unit', 'After'), ['a.service', 'b.service', 'c.service']);
    assert.deepEqual(unitValues(unit, 'Service', 'Environment'), ['']);
    assert.deepEqual(unitValues(unit, 'Service', 'User'), []);
  });
  it('reads CRLF, a byte order mark, and a backslash at the end of the file', () => {
    assert.deepEqual(parseUnit('\ufeff[A]\r\nB=c\r\nD=e\\', 'x').sections, [
      unitSection('A', [
        ['B', 'c'],
        ['D', 'e'],
      ]),
    ]);
  });
  it('does not continue comments', () => {
    assert.deepEqual(unitValues(parseUnit('[A]\n# x\\\nB=c\n', 'x'), 'A', 'B'), ['c']);
  });
  it('ends a continued line at a blank one', () => {
    assert.deepEqual(unitValues(parseUnit('[A]\nB=c\\\n\nD=e\n', 'x'), 'A', 'B'), ['c']);
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['a line that is no assignment', '[A]\nB=c\\\nd\nnonsense', /^x:4: "nonsense" is neither/],
    ['a missing key', '[A]\n=c', /^x:2: /],
    ['a directive before any section', 'B=c', /^x:1: .* before any section/],
    ['an open section header', '[A', /^x:1: .* is not a section header/],
    ['an empty section header', '[]', /^x:1: .* is not a section header/],
    ['a NUL byte', '[A]\nB=\0', /^x: has a NUL byte/],
  ];
  for (const [name, text, message] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseUnit(text, 'x'), { code: 'INVALID_UNIT_FILE', message });
    });
  }
});

describe('printUnit', () => {
  it('writes one line a directive, a blank line between sections', () => {
    const unit: UnitFile = {
      head: ['# made by hand'],
      sections: [unitSection('Unit', [['After', 'a']]), unitSection('Install', [['Alias', '']])],
    };
    assert.equal(printUnit(unit), '# made by hand\n\n[Unit]\nAfter=a\n\n[Install]\nAlias=\n');
  });
  it('gives back what it printed', () => {
    const unit = parseUnit(EXAMPLE, 'x');
    assert.deepEqual(parseUnit(printUnit(unit), 'x'), unit);
  });
  const entry = (key: string, value: string): UnitFile => ({
    head: [],
    sections: [unitSection('A', [[key, value]])],
  });
  it('keeps a backslash at the end of a value from swallowing the next line', () => {
    const unit: UnitFile = {
      head: [],
      sections: [
        unitSection('A', [
          ['B', 'c\\'],
          ['D', 'e\\\\'],
          ['F', 'g'],
        ]),
      ],
    };
    assert.equal(printUnit(unit), '[A]\nB=c\\ \nD=e\\\\\nF=g\n');
    assert.deepEqual(parseUnit(printUnit(unit), 'x'), unit);
  });
  const bad: readonly (readonly [string, UnitFile])[] = [
    ['a directive hidden in a value', entry('B', 'c\nUser=root')],
    ['a carriage return', entry('B', 'c\rd')],
    ['outer white space, which would be lost', entry('B', ' c')],
    ['a key with =', entry('B=c', 'd')],
    ['a key that is a comment', entry('#B', 'd')],
    ['a key that is a header', entry('[B]', 'd')],
    ['an empty key', entry('', 'd')],
    ['a section name with a bracket', { head: [], sections: [unitSection('A]\n[B', [])] }],
    ['a comment without its mark', { head: ['User=root'], sections: [] }],
    ['a comment of two lines', { head: ['# a\nb'], sections: [] }],
  ];
  for (const [name, unit] of bad) {
    it(`refuses ${name}`, () => assert.throws(() => printUnit(unit), { code: 'UNIT_VALUE' }));
  }
});
