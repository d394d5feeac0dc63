// SPDX-License-Identifier: Apache-2.0
import type { TocContent } from '../../archive/chunked-toc.ts';
import type { Digest } from '../../base/digest.ts';
import type { StoredContents } from '../../store/import/stored-contents.ts';
import type { FileContent } from '../../store/tree/inode.ts';
import { bytesOf, type PlannedSpan, planSpans } from './chunked-plan.ts';

/** What of a zstd:chunked layer is there, and what is to be fetched. */
export interface SortedContents {
  readonly known: ReadonlyMap<Digest, FileContent>;
  readonly spans: readonly PlannedSpan[];
  /** Of the spans. */
  readonly missingBytes: number;
}

/** Sorts the contents of a layer by whether `stored` has them, each once. */
export function sortContents(
  members: Iterable<{ readonly content: TocContent | undefined }>,
  stored: Pick<StoredContents, 'find'>,
): SortedContents {
  const known = new Map<Digest, FileContent>();
  const missing = new Map<Digest, TocContent>();
  for (const { content } of members) {
    if (content === undefined) continue;
    if (known.has(content.digest) || missing.has(content.digest)) continue;
    const found = stored.find(content.digest, content.sizeBytes);
    if (found === undefined) missing.set(content.digest, content);
    else known.set(content.digest, found);
  }
  const spans = planSpans([...missing.values()]);
  return { known, spans, missingBytes: bytesOf(spans) };
}
