// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseChallenges } from '../../../../src/registry/login/challenge.ts';
import { fc } from '../../../support/properties.ts';

const parse = (...headers: string[]): [string, Record<string, string>][] =>
  parseChallenges(headers).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);

describe('parseChallenges', () => {
  const cases: readonly [string, string[], [string, Record<string, string>][]][] = [
    ['a basic challenge', ['Basic realm="x"'], [['basic', { realm: 'x' }]]],
    [
      'a bearer challenge',
      ['Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"'],
      [
        [
          'bearer',
          {
            realm: 'https://auth.example/token',
            service: 'reg',
            scope: 'repository:a/b:pull,push',
          },
        ],
      ],
    ],
    ['names and schemes in any case', ['BEARER Realm="x"'], [['bearer', { realm: 'x' }]]],
    [
      'values without quotes',
      ['Bearer realm=x, service=y'],
      [['bearer', { realm: 'x', service: 'y' }]],
    ],
    ['escapes in quotes', ['Bearer realm="a\\"b\\\\c"'], [['bearer', { realm: 'a"b\\c' }]]],
    [
      'spaces around signs',
      ['Bearer  realm = "x" ,  service ="y"'],
      [['bearer', { realm: 'x', service: 'y' }]],
    ],
    [
      'several challenges in one line',
      ['Negotiate, Basic realm="x, y=z", Bearer realm="t"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x, y=z' }],
        ['bearer', { realm: 't' }],
      ],
    ],
    [
      'an opaque value',
      ['Negotiate YWJj==, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'several lines',
      ['Basic realm="x"', 'Bearer realm="t"'],
      [
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 't' }],
      ],
    ],
    [
      'the first of two values',
      ['Bearer realm="good",realm="evil"'],
      [['bearer', { realm: 'good' }]],
    ],
    ['a scheme alone', ['Basic'], [['basic', {}]]],
    ['an unfinished string as no parameter', ['Bearer realm="x'], [['bearer', {}]]],
    ['nothing', [''], []],
    ['a line that is too long', [`Bearer realm="${'x'.repeat(20_000)}"`], []],
  ];
  for (const [name, headers, expected] of cases) {
    it(`reads ${name}`, () => assert.deepEqual(parse(...headers), expected));
  }

  it('ends on every input, quickly', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        (text) => parse(text).length <= text.length,
      ),
    );
    const started = performance.now();
    parse(`Bearer ${'a=b '.repeat(4000)}`, ', '.repeat(8000), `x ${'='.repeat(16_000)}`);
    assert.ok(performance.now() - started < 20_000);
  });
});
