// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';

/** Rows under a heading, columns padded with two spaces between, nothing cut; cells are made printable. */
export function renderTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  showHeading: boolean,
): string {
  const lines = [...(showHeading ? [heading] : []), ...rows.map((row) => row.map(printable))];
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length), 0),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** How long ago, as podman says it: `5 minutes ago`. */
export function ago(then: Date, now: Date): string {
  const units: readonly [number, string][] = [
    [86_400 * 365, 'year'],
    [86_400 * 30, 'month'],
    [86_400 * 7, 'week'],
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const seconds = Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000));
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, 'second'];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}
