// SPDX-License-Identifier: Apache-2.0
// docs/threat-model.md promises a test for each of its attacks, and the tests bear their numbers.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = 'docs/threat-model.md';
const ALL = Array.from({ length: 55 }, (_, n) => `a${String(n + 1).padStart(2, '0')}`);

/** `'a46, a47, cve-2021-1: …`, as it stands in front of a test's or a case's words. */
const NAME = /['"`]((?:a\d\d, )*a\d\d)(?:, cve-[\d-]+)*: /g;

/** The numbers of the tests of a file. */
function numbersIn(path: string): ReadonlySet<string> {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return new Set([...text.matchAll(NAME)].flatMap(([, numbers = '']) => numbers.split(', ')));
}

describe('the attacks of the threat model', () => {
  const files = globSync('test/**/*.ts', { cwd: ROOT }).filter(
    (path) => path !== 'test/unit/attacks.test.ts',
  );
  const tested = new Map(files.map((path) => [path, numbersIn(path)]));
  const rows = [...readFileSync(join(ROOT, MODEL), 'utf8').matchAll(/^\| (A\d\d) .*$/gm)].map(
    ([row, number = '']) => ({ number: number.toLowerCase(), row }),
  );

  it('all have a test that bears their number', () => {
    const found = new Set([...tested.values()].flatMap((numbers) => [...numbers]));
    assert.deepEqual([...found].sort(), ALL);
  });

  it('are all in the table, once and in order', () => {
    assert.deepEqual(
      rows.map(({ number }) => number),
      ALL,
    );
  });

  for (const { number, row } of rows) {
    it(`${number} is tested where the table says`, () => {
      const places = [...row.matchAll(/`([^`]+\.ts)`/g)].map(([, path = '']) => `test/${path}`);
      assert.ok(places.length > 0, row);
      for (const place of places) assert.ok(tested.get(place)?.has(number), `${place}: ${row}`);
    });
  }
});
