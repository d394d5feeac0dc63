// SPDX-License-Identifier: Apache-2.0
import type { TocContent } from '../../archive/chunked-toc.ts';
import type { BlobSpan } from '../../registry/request/blob-request.ts';

/** Bytes between two contents that are cheaper to fetch than a request of their own. */
const GAP_BYTES = 64 * 1024;

/** More requests than this cost more than what lies between. */
const SPANS_MAX = 512;

/** A span of the blob to ask for, and what is wanted of it, in order. */
export interface PlannedSpan extends BlobSpan {
  readonly contents: readonly TocContent[];
}

/** Which spans of a blob to ask for to get `contents`, which lie apart from each other. */
export function planSpans(contents: readonly TocContent[]): readonly PlannedSpan[] {
  const sorted = contents.toSorted((a, b) => a.start - b.start);
  for (let gapBytes = GAP_BYTES; ; gapBytes *= 2) {
    const spans = merged(sorted, gapBytes);
    if (spans.length <= SPANS_MAX) return spans;
  }
}

export function bytesOf(spans: readonly BlobSpan[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

function merged(sorted: readonly TocContent[], gapBytes: number): readonly PlannedSpan[] {
  const spans: { start: number; end: number; contents: TocContent[] }[] = [];
  for (const content of sorted) {
    const last = spans.at(-1);
    if (last === undefined || content.start > last.end + gapBytes) {
      spans.push({ start: content.start, end: content.end, contents: [content] });
    } else {
      last.end = content.end;
      last.contents.push(content);
    }
  }
  return spans;
}
