// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionValues } from '../../../src/cli/option-values.ts';

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
