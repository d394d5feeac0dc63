// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  escapeSpecifiers,
  execLine,
  quoteEnvironment,
  quoteExecArgument,
  quoteUnitWord,
} from '../../../src/systemd/unit-quote.ts';

describe('quoteExecArgument', () => {
  for (const [argument, written] of [
    ['plain', 'plain'],
    ['--a=b,c:/d', '--a=b,c:/d'],
    ['', '""'],
    ['a b', '"a b"'],
    ['50%', '50%%'],
    ['$HOME', '$$HOME'],
    ['${X}', '"$${X}"'],
    [';', '";"'],
    [`a"b'c`, `"a\\"b'c"`],
    ['a\\n', '"a\\\\n"'],
    ['a\nb\tc\r', '"a\\nb\\tc\\r"'],
    ['\u001b\u007f', '"\\x1b\\x7f"'],
    ['größe', '"größe"'],
  ] as const) {
    it(`writes ${JSON.stringify(argument)} as ${written}`, () => {
      assert.equal(quoteExecArgument(argument), written);
    });
  }
  for (const argument of ['a\0b', '\ud800']) {
    it(`refuses ${JSON.stringify(argument)}`, () => {
      assert.throws(() => quoteExecArgument(argument), { code: 'UNIT_VALUE' });
    });
  }
});

describe('execLine', () => {
  it('joins the program and its arguments', () => {
    assert.equal(execLine('/usr/bin/runc', ['run', "it's"]), `/usr/bin/runc run "it's"`);
    assert.equal(execLine('/opt/my tools/x%', []), '"/opt/my tools/x%%"');
  });
  for (const program of ['runc', '', '/a"b', '/a\\b', '/a$b', '/a\nb']) {
    it(`refuses the program ${JSON.stringify(program)}`, () => {
      assert.throws(() => execLine(program, []), { code: 'UNIT_VALUE' });
    });
  }
});

describe('quoteEnvironment', () => {
  it('leaves $ alone and doubles %', () => {
    assert.equal(quoteEnvironment('A', '$B%c d'), '"A=$B%%c d"');
  });
  for (const name of ['', '1A', 'a-b', 'A B', 'A=']) {
    it(`refuses the name ${JSON.stringify(name)}, which systemd would drop`, () => {
      assert.throws(() => quoteEnvironment(name, ''), { code: 'UNIT_VALUE' });
    });
  }
});

describe('whole values and words', () => {
  it('a40: double specifiers', () => {
    assert.equal(escapeSpecifiers('/a %b $c'), '/a %%b $c');
    assert.equal(quoteUnitWord('/a b:%c:$d'), '"/a b:%%c:$d"');
  });
});
