// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TocContent } from '../../../../src/archive/chunked-toc.ts';
import { sha256 } from '../../../../src/base/digest.ts';
import { bytesOf, planSpans } from '../../../../src/image/fetch/chunked-plan.ts';

const at = (start: number, end: number): TocContent => ({
  digest: sha256(`${start}`),
  sizeBytes: end - start,
  start,
  end,
});

describe('the spans of a blob that are asked for', () => {
  it('are in order, and joined where little lies between', () => {
    const spans = planSpans([at(500_000, 500_100), at(10, 20), at(60_000, 60_010)]);
    assert.deepEqual(
      spans.map(({ start, end, contents }) => [start, end, contents.length]),
      [
        [10, 60_010, 2],
        [500_000, 500_100, 1],
      ],
    );
    assert.equal(bytesOf(spans), 60_100);
  });

  it('are none for nothing', () => {
    assert.deepEqual(planSpans([]), []);
  });

  it('are never more than a few hundred', () => {
    const scattered = Array.from({ length: 5000 }, (_, n) => at(n * 100_000, n * 100_000 + 10));
    const spans = planSpans(scattered);
    assert.ok(spans.length <= 512);
    assert.equal(
      spans.reduce((sum, { contents }) => sum + contents.length, 0),
      5000,
    );
  });
});
