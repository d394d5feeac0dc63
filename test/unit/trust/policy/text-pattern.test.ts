// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesText } from '../../../../src/trust/policy/text-pattern.ts';

describe('a pattern', () => {
  for (const [glob, text, fits] of [
    ['a*c', 'abbc', true],
    ['a*c', 'ac', true],
    ['a*c', 'a/c', false],
    ['a**c', 'a/b/c', true],
    ['a**c', 'a/b/cd', false],
    ['*@example.com', 'release@example.com', true],
    ['*@example.com', 'release@example.com.evil', false],
    ['*@example.com', 'x/release@example.com', false],
    ['release@example.com', 'xrelease@example.com', false],
    ['https://github.com/org/*', 'https://github.com/org/app', true],
    ['https://github.com/org/*', 'https://github.com/org/app/x', false],
    ['https://github.com/org/**', 'https://github.com/organ/app', false],
    ['https://github.com/org/**', 'https://github.com/org/', true],
    ['*/*', 'a/b', true],
    ['***b', 'x/y/b', true],
    ['a.c', 'abc', false],
    ['[a]?(b)+$', '[a]?(b)+$', true],
    ['A', 'a', false],
    ['**', 'x'.repeat(5000), false],
    ['\u{1f600}*', '\u{1f600}x', true],
  ] as const) {
    it(`${glob} ${fits ? 'fits' : 'does not fit'} ${text.slice(0, 40)}`, () => {
      assert.equal(matchesText({ kind: 'glob', glob }, text), fits);
    });
  }

  it('takes no time to speak of for what makes regular expressions slow', () => {
    const started = performance.now();
    assert.equal(matchesText({ kind: 'glob', glob: '*a'.repeat(100) }, 'a'.repeat(4000)), true);
    assert.equal(
      matchesText({ kind: 'glob', glob: `${'**a'.repeat(100)}b` }, 'a'.repeat(4000)),
      false,
    );
    assert.ok(performance.now() - started < 20_000);
  });
});
