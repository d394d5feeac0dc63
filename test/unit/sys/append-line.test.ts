// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { appendLineDurably } from '../../../src/sys/append-line.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const CASES: readonly (readonly [what: string, before: string | undefined, after: string])[] = [
  ['makes the file', undefined, 'new\n'],
  ['adds to what is there', 'old\n', 'old\nnew\n'],
  ['ends a line that was cut short', 'old\nto', 'old\nto\nnew\n'],
  ['leaves an empty file no empty line', '', 'new\n'],
];

for (const [what, before, after] of CASES) {
  it(`appending a line ${what}`, async () => {
    using tmp = temporaryDirectory('append');
    const path = join(tmp.directory, 'lines');
    if (before !== undefined) writeFileSync(path, before, { mode: 0o600 });
    await appendLineDurably(path, 'new\n', 0o600);
    assert.equal(readFileSync(path, 'utf8'), after);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
}

it('appending a line does not follow a link', async () => {
  using tmp = temporaryDirectory('append');
  const path = join(tmp.directory, 'lines');
  symlinkSync(join(tmp.directory, 'elsewhere'), path);
  await assert.rejects(appendLineDurably(path, 'new\n', 0o600), { code: 'ELOOP' });
});

it('appending a line to a full disk fails with what the disk says', async () => {
  await assert.rejects(appendLineDurably('/dev/full', 'new\n', 0o600), { code: 'ENOSPC' });
});
