// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionValues } from '../../../../src/cli/options/option-values.ts';

describe('a flag', () => {
  it('is set when it was given', () => {
    const options = new OptionValues({ json: true, noheading: true });
    assert.ok(options.flag('json'));
    assert.ok(options.flag('noheading'));
    assert.ok(!options.flag('quiet'));
  });

  it('whose name begins with "no-" is set when commander has the rest of it false', () => {
    assert.ok(new OptionValues({ trunc: false }).flag('no-trunc'));
    assert.ok(!new OptionValues({ trunc: true }).flag('no-trunc'));
    assert.ok(!new OptionValues({}).flag('no-trunc'));
  });
});

describe('a time', () => {
  const cases: readonly (readonly [text: string, milliseconds: number])[] = [
    ['5s', 5000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['2h', 7_200_000],
    ['1.5s', 1500],
    ['0s', 0],
  ];
  for (const [text, milliseconds] of cases) {
    it(`is ${milliseconds} ms when it is written ${text}`, () => {
      const options = new OptionValues({ retryDelay: text });
      assert.equal(options.durationMs('retry-delay'), milliseconds);
    });
  }

  for (const text of ['', '5', 's', '5 s', '-1s', '1s1m', '1d', '5sms']) {
    it(`is not ${JSON.stringify(text)}`, () => {
      const options = new OptionValues({ retryDelay: text });
      assert.throws(() => options.durationMs('retry-delay'), /is not a time/);
    });
  }

  it('is nothing when it was not given', () => {
    assert.equal(new OptionValues({}).durationMs('retry-delay'), undefined);
  });
});
