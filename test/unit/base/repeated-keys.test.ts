// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasRepeatedKeys } from '../../../src/base/repeated-keys.ts';
import type { JsonValue } from '../../../src/base/strict-json.ts';

const parse = (text: string): JsonValue => JSON.parse(text) as JsonValue;

describe('a key that is there twice', () => {
  const cases: readonly (readonly [text: string, isRepeated: boolean])[] = [
    ['{}', false],
    ['7', false],
    ['null', false],
    ['":"', false],
    ['{"a":1,"b":2}', false],
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"a:":":","b\\"":"\\":","c\\\\":1}', false],
    ['[{"a":1},{"a":2}]', false],
    ['[{"a":[{"b":{"c":1}}]},{"a":{"b":1,"b":{"d":1}}}]', true],
    ['{"__proto__":1}', false],
    ['{"__proto__":1,"__proto__":2}', true],
    ['{"a" : 1 ,\n"a"\t:2}', true],
  ];
  for (const [text, isRepeated] of cases) {
    it(`is ${isRepeated ? 'seen' : 'not there'} in ${text}`, () => {
      assert.equal(hasRepeatedKeys(text, parse(text)), isRepeated);
    });
  }

  it('is looked for in texts that nest deeper than a stack is high', () => {
    const text = `${'[{"a":'.repeat(200_000)}1${'}]'.repeat(200_000)}`;
    assert.equal(hasRepeatedKeys(text, parse(text)), false);
  });
});
