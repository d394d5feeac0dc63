// SPDX-License-Identifier: Apache-2.0
// The three readers of JSON against JSON.parse: what is taken must be the same value to everybody.
import assert from 'node:assert/strict';
import { jsonPieces } from '../../../src/archive/json-pieces.ts';
import { hasRepeatedKeys } from '../../../src/base/repeated-keys.ts';
import { type JsonValue, parseStrictJson } from '../../../src/base/strict-json.ts';
import { type FuzzTarget, unlessRefused } from '../target.ts';

const SEEDS = [
  '{"a":1,"b":[true,false,null],"c":{"d":"\\u0065\\n"}}',
  '[1,-0,1e3,1.5E-7,"\\ud800",{}]',
  '{"a":1,"\\u0061":2}',
  '{"__proto__":{"x":1},"constructor":[]}',
  '"text"',
  '[1,]',
  '{} // x',
  '\ufeff{}',
  `${'['.repeat(20)}${']'.repeat(20)}`,
];

export const target: FuzzTarget = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  maxLength: 1024,
  run: (input) => {
    const text = input.toString('utf8');
    const known = unlessRefused(() => ({ value: JSON.parse(text) as JsonValue }), 'SyntaxError');
    const strict = unlessRefused(() => parseStrictJson(text, 'document'), 'InvalidJsonError');
    if (strict !== undefined) {
      assert.ok(known, 'strict JSON takes what is no JSON');
      assert.deepEqual(plain(strict.value), plain(known.value));
    } else if (known !== undefined) {
      const isOdd =
        hasRepeatedKeys(text, known.value) ||
        JSON.stringify(known.value) !== JSON.stringify(known.value, finiteOnly) ||
        depthOf(known.value) > 128;
      assert.ok(isOdd, 'strict JSON refuses what everybody reads alike');
    }
    const pieces = unlessRefused(() => [...jsonPieces(input)], 'SyntaxError');
    if (pieces === undefined) return;
    assert.ok(known, 'pieces are read of what is no JSON');
    const whole = Object.create(null) as Record<string, JsonValue>;
    const lists = new Map<string, JsonValue[]>();
    for (const { key, kind, value } of pieces) {
      if (kind === 'element') lists.get(key)?.push(value);
      else if (kind === 'member') whole[key] = value;
      else lists.set(key, []);
    }
    for (const [key, list] of lists) whole[key] = list;
    assert.deepEqual(plain(whole), plain(known.value));
  },
};

function finiteOnly(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? 'infinite' : value;
}

/** With no prototypes, and lists that are lists, so that all that differs is the value. */
function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(
    Object.entries(value)
      .map(([key, inner]) => [key, plain(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)));
}
