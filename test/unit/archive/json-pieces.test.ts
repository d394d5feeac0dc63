// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JsonPiece, jsonPieces } from '../../../src/archive/json-pieces.ts';

const pieces = (text: string): JsonPiece[] => [...jsonPieces(Buffer.from(text))];

describe('the pieces of a JSON object', () => {
  const whole: readonly (readonly [text: string, wanted: readonly string[]])[] = [
    ['{}', []],
    [' { "a" : 1 } \n', ['member a 1']],
    ['{"a":[],"b":[ ]}', ['list a []', 'list b []']],
    [
      '{"a":[1, "x" ,{"y":[2]}],"b":null}',
      ['list a []', 'element a 1', 'element a "x"', 'element a {"y":[2]}', 'member b null'],
    ],
    ['{"a\\"]}":"\\\\","b":"[{\\"}"}', ['member a"]} "\\\\"', 'member b "[{\\"}"']],
    ['{"a":{"b":{"c":[[1]]}}}', ['member a {"b":{"c":[[1]]}}']],
    ['{"é":"\u{1f600}"}', ['member é "\u{1f600}"']],
  ];
  for (const [text, wanted] of whole) {
    it(`are those of ${text.trim()}`, () => {
      const seen = pieces(text).map(
        ({ kind, key, value }) => `${kind} ${key} ${JSON.stringify(value)}`,
      );
      assert.deepEqual(seen, wanted);
      assert.doesNotThrow(() => JSON.parse(text));
    });
  }

  const refused: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['no object', '[1]'],
    ['an object that does not end', '{"a":1'],
    ['a list that does not end', '{"a":[1'],
    ['a text that does not end', '{"a":"x'],
    ['a backslash at its end', '{"a":"\\'],
    ['a comma too many', '{"a":1,}'],
    ['a comma too many in a list', '{"a":[1,]}'],
    ['a comma at first', '{,"a":1}'],
    ['no comma', '{"a":1 "b":2}'],
    ['no colon', '{"a" 1}'],
    ['a key that is no text', '{1:1}'],
    ['a key that comes twice', '{"a":1,"a":2}'],
    ['a key that comes twice, once escaped', '{"a":1,"\\u0061":2}'],
    [
      'more members than any document has',
      `{${Array.from({ length: 65 }, (_, n) => `"${n}":0`).join()}}`,
    ],
    ['brackets that do not match', '{"a":[1}}'],
    ['brackets that do not match inside', '{"a":[{"b":1]]}'],
    ['something behind it', '{} x'],
    ['another object behind it', '{}{}'],
    ['a word that is none', '{"a":nul}'],
    ['a number that is none', '{"a":01}'],
    ['a control character in a text', '{"a":"\n"}'],
    ['more depth than any document has', `{"a":${'['.repeat(18)}${']'.repeat(18)}}`],
    ['a piece of more than 4 MiB', `{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`],
  ];
  for (const [what, text] of refused) {
    it(`are refused with ${what}`, () => assert.throws(() => pieces(text), SyntaxError));
  }
});
