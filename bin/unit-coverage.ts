// SPDX-License-Identifier: Apache-2.0
// Runs the unit tests and holds each room to its share of covered lines and branches.
// What needs real parts (D-Bus, mounts, registries) is covered by the other tests, which are not counted here.
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { run } from 'node:test';
import { dot } from 'node:test/reporters';

interface Floor {
  readonly room: string;
  readonly linePercent: number;
  readonly branchPercent: number;
}

const FLOORS: readonly Floor[] = [
  { room: 'archive', linePercent: 85, branchPercent: 80 },
  { room: 'base', linePercent: 95, branchPercent: 90 },
  { room: 'container', linePercent: 85, branchPercent: 85 },
  { room: 'launch', linePercent: 90, branchPercent: 85 },
  { room: 'oci', linePercent: 95, branchPercent: 85 },
  { room: 'template', linePercent: 95, branchPercent: 95 },
  { room: 'trust', linePercent: 95, branchPercent: 90 },
];

const NONE: Counts = { lines: 0, coveredLines: 0, branches: 0, coveredBranches: 0 };

interface Counts {
  lines: number;
  coveredLines: number;
  branches: number;
  coveredBranches: number;
}

const results = run({
  files: globSync('test/unit/**/*.test.ts').toSorted(),
  // One process for all files: twice as fast as one for each, and unit tests leave nothing behind.
  isolation: 'none',
  timeout: 60_000,
  coverage: true,
  coverageIncludeGlobs: ['src/**/*.ts'],
});
results.on('test:fail', () => {
  process.exitCode = 1;
});
results.on('test:coverage', ({ summary }) => {
  const rooms = new Map<string, Counts>();
  for (const file of summary.files) {
    const room = /^src\/(?<room>[^/]+)\//.exec(relative('.', file.path))?.groups?.['room'] ?? '';
    const counts = rooms.get(room) ?? {
      lines: 0,
      coveredLines: 0,
      branches: 0,
      coveredBranches: 0,
    };
    counts.lines += file.totalLineCount;
    counts.coveredLines += file.coveredLineCount;
    counts.branches += file.totalBranchCount;
    counts.coveredBranches += file.coveredBranchCount;
    rooms.set(room, counts);
  }
  const lines = [...rooms.keys()].toSorted().map((room) => report(room, rooms.get(room) ?? NONE));
  process.stdout.write(`\n${lines.join('\n')}\n`);
});
results.compose(dot).pipe(process.stdout);

function report(room: string, counts: Counts): string {
  const linePercent = percent(counts.coveredLines, counts.lines);
  const branchPercent = percent(counts.coveredBranches, counts.branches);
  const floor = FLOORS.find((candidate) => candidate.room === room);
  const low =
    floor !== undefined && (linePercent < floor.linePercent || branchPercent < floor.branchPercent);
  if (low) process.exitCode = 1;
  const wanted = low ? `  too low: ${floor.linePercent} and ${floor.branchPercent} are wanted` : '';
  return `${room.padEnd(12)} lines ${linePercent.toFixed(1)} %, branches ${branchPercent.toFixed(1)} %${wanted}`;
}

function percent(covered: number, total: number): number {
  return total === 0 ? 100 : (100 * covered) / total;
}
