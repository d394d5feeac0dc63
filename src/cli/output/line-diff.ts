// SPDX-License-Identifier: Apache-2.0

const CONTEXT = 3;

/**
 * What an edit of one place changed, as `diff -u` says it: one hunk, from the first line that differs to
 * the last. Empty when nothing does.
 */
export function lineDiff(path: string, before: string | undefined, after: string): string {
  const old = linesOf(before ?? '');
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  if (start === old.length && start === now.length) return '';
  let tail = 0;
  const most = Math.min(old.length, now.length) - start;
  while (tail < most && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const from = Math.max(0, start - CONTEXT);
  const kept = Math.min(tail, CONTEXT);
  const removed = old.slice(start, old.length - tail);
  const added = now.slice(start, now.length - tail);
  const above = old.slice(from, start);
  const below = old.slice(old.length - tail, old.length - tail + kept);
  const span = (changed: readonly string[]) => above.length + changed.length + below.length;
  const position = (changed: readonly string[]) => (span(changed) === 0 ? from : from + 1);
  return [
    `--- ${before === undefined ? '/dev/null' : path}`,
    `+++ ${path}`,
    `@@ -${position(removed)},${span(removed)} +${position(added)},${span(added)} @@`,
    ...above.map((line) => ` ${line}`),
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
    ...below.map((line) => ` ${line}`),
    '',
  ].join('\n');
}

// A file without a last line feed says so, as diff has it.
function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop();
  return last === '' ? lines : [...lines, `${last ?? ''}\n\\ No newline at end of file`];
}
