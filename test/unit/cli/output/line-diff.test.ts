// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { lineDiff } from '../../../../src/cli/output/line-diff.ts';
import { runChecked } from '../../../../src/sys/process.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const tmp = temporaryDirectory('line-diff');
after(() => tmp[Symbol.dispose]());

const LINES = Array.from({ length: 12 }, (_, n) => `line ${n}\n`);

describe('lineDiff', () => {
  for (const [name, before, now] of [
    ['a line in the middle', LINES.join(''), LINES.with(5, 'other\n').join('')],
    ['lines added', LINES.join(''), LINES.toSpliced(5, 0, 'new\n', 'line 5\n').join('')],
    ['lines gone', LINES.join(''), LINES.toSpliced(5, 3).join('')],
    ['the first line', LINES.join(''), LINES.with(0, 'other\n').join('')],
    ['the last line', LINES.join(''), LINES.with(11, 'other\n').join('')],
    ['two places', LINES.join(''), LINES.with(2, 'x\n').with(9, 'y\n').join('')],
    ['a new file', undefined, 'a\nb\n'],
    ['a last line feed that comes', 'a\nb', 'a\nb\n'],
    ['a last line feed that goes', 'a\nb\n', 'a\nb'],
  ] as const) {
    it(`is what patch makes the new text of: ${name}`, async () => {
      const directory = join(tmp.directory, name);
      mkdirSync(directory);
      const file = join(directory, 'file');
      if (before !== undefined) writeFileSync(file, before);
      await runChecked('patch', ['--silent', '-p0', '--directory', directory], {
        input: lineDiff('file', before, now),
      });
      assert.equal(readFileSync(file, 'utf8'), now);
    });
  }
  it('is empty where nothing changed', () => assert.equal(lineDiff('f', 'a\n', 'a\n'), ''));
});
