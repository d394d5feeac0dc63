// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStrictJson, parseStrictJsonValue } from '../../../src/base/strict-json.ts';
import { fc } from '../../support/properties.ts';

describe('parseStrictJson', () => {
  const refused = [
    { name: 'an empty text', text: '', why: /^f:1:1: is empty$/ },
    { name: 'a byte order mark', text: '\ufeff{}', why: /^f:1:1/ },
    { name: 'a line comment', text: '{} // x', why: /comment/ },
    { name: 'a block comment', text: '{/**/}', why: /comment/ },
    { name: 'a trailing comma in a list', text: '[1,]', why: /^f:1:/ },
    { name: 'a trailing comma in an object', text: '{"a":1,}', why: /^f:1:/ },
    { name: 'trailing data', text: '{}{}', why: /^f:1:3/ },
    { name: 'NaN', text: '[NaN]', why: /^f:1:2/ },
    { name: 'a number out of range', text: '[1e999]', why: /out of range/ },
    { name: 'single quotes', text: "{'a':1}", why: /^f:1:2/ },
    { name: 'a bare newline in a string', text: '"a\nb"', why: /^f:1/ },
    { name: 'a duplicate key', text: '{\n  "a":1,\n  "a":2}', why: /^f:3:3: duplicate key "a"$/ },
    {
      name: 'a duplicate key written with an escape',
      text: '{"a":1,"\\u0061":2}',
      why: /duplicate key "a"/,
    },
    { name: '__proto__ twice', text: '{"__proto__":1,"__proto__":2}', why: /duplicate key/ },
    { name: 'too deep nesting', text: '['.repeat(200) + ']'.repeat(200), why: /nested deeper/ },
  ];
  for (const { name, text, why } of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseStrictJson(text, 'f'), { code: 'INVALID_JSON', message: why });
    });
  }

  it('knows where a value stood', () => {
    const document = parseStrictJson('{\n "a": [1,\n  {"b": 2}]}', 'f');
    assert.deepEqual(document.placeOf(['a', 1, 'b']), { line: 3, column: 9 });
    assert.deepEqual(document.placeOf(['a', 7]), { line: 2, column: 7 });
  });

  it('gives objects without a prototype', () => {
    const value = parseStrictJsonValue('{"__proto__": {"x": 1}}', 'f');
    assert.equal(Object.getPrototypeOf(value), null);
  });

  it('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        assert.equal(JSON.stringify(parseStrictJsonValue(text, 'f')), text);
      }),
    );
  });
});
