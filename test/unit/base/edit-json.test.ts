// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editJson } from '../../../src/base/edit-json.ts';
import { type JsonValue, parseStrictJsonValue } from '../../../src/base/strict-json.ts';
import { fc } from '../../support/properties.ts';

interface Case {
  readonly name: string;
  readonly before: string;
  readonly path: readonly string[];
  readonly value: JsonValue | undefined;
  readonly after: string;
}

const CASES: readonly Case[] = [
  {
    name: 'adds a member behind the last, and leaves the others as they are written',
    before: '{\n  "a" :1,\n  "b":[ 1,2 ]\n}\n',
    path: ['c'],
    value: [3],
    after: '{\n  "a" :1,\n  "b":[ 1,2 ],\n  "c": [\n    3\n  ]\n}\n',
  },
  {
    name: 'makes the objects on the way',
    before: '{\n\t"a": 1\n}',
    path: ['b', 'c'],
    value: true,
    after: '{\n\t"a": 1,\n\t"b": {\n\t\t"c": true\n\t}\n}',
  },
  {
    name: 'fills an empty object',
    before: '{\n    "a": {}\n}\n',
    path: ['a', 'b'],
    value: 1,
    after: '{\n    "a": {\n        "b": 1\n    }\n}\n',
  },
  {
    name: 'stays on one line where the document does',
    before: '{"a":{"b":1}}',
    path: ['a', 'c'],
    value: [{ d: 2 }],
    after: '{"a":{"b":1, "c": [{"d":2}]}}',
  },
  {
    name: 'replaces a value and nothing around it',
    before: '{\n  "a" : [ 1 ] ,\n  "b": 2\n}',
    path: ['a'],
    value: 3,
    after: '{\n  "a" : 3 ,\n  "b": 2\n}',
  },
  {
    name: 'keeps the line ends of another system',
    before: '{\r\n  "a": 1\r\n}\r\n',
    path: ['b'],
    value: [2],
    after: '{\r\n  "a": 1,\r\n  "b": [\r\n    2\r\n  ]\r\n}\r\n',
  },
  {
    name: 'takes the first member out',
    before: '{\n  "a": 1,\n  "b": 2\n}',
    path: ['a'],
    value: undefined,
    after: '{\n  "b": 2\n}',
  },
  {
    name: 'takes the last member out',
    before: '{\n  "a": 1,\n  "b": 2\n}',
    path: ['b'],
    value: undefined,
    after: '{\n  "a": 1\n}',
  },
  {
    name: 'takes the only member out',
    before: '{"x": {\n  "a": 1\n}}',
    path: ['x', 'a'],
    value: undefined,
    after: '{"x": {}}',
  },
  {
    name: 'leaves a document without the member alone',
    before: '{ "a":1 }',
    path: ['x', 'y'],
    value: undefined,
    after: '{ "a":1 }',
  },
  {
    name: 'finds keys that are written with escapes',
    before: '{"\\u0061": 1}',
    path: ['a'],
    value: 2,
    after: '{"\\u0061": 2}',
  },
];

describe('editJson', () => {
  for (const { name, before, path, value, after } of CASES) {
    it(name, () => assert.equal(editJson(before, path, value), after));
  }

  it('changes the one member and no other, in any document', () => {
    const key = fc.constantFrom('a', 'b', '', '__proto__', 'quay.io/x', '\u0001"');
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.array(fc.integer()));
    const object = fc.dictionary(key, fc.dictionary(key, leaf, { noNullPrototype: false }), {
      noNullPrototype: false,
    });
    const space = fc.constantFrom(0, 1, 4, '\t');
    const value = fc.option(leaf, { nil: undefined });
    fc.assert(
      fc.property(object, space, key, key, value, (document, indent, first, second, wanted) => {
        const text = JSON.stringify(document, undefined, indent);
        const expected = structuredOf(text);
        if (wanted !== undefined) {
          expected.set(first, (expected.get(first) ?? new Map()).set(second, wanted));
        } else expected.get(first)?.delete(second);
        const after = editJson(text, [first, second], wanted);
        assert.deepEqual(structuredOf(after), expected);
      }),
    );
  });
});

/** Objects as maps, so that no key is special. */
function structuredOf(text: string): Map<string, Map<string, unknown>> {
  const value = parseStrictJsonValue(text, 'x') as Record<string, Record<string, unknown>>;
  return new Map(
    Object.entries(value).map(([key, inner]) => [key, new Map(Object.entries(inner))] as const),
  );
}
