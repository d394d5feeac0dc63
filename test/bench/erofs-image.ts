// SPDX-License-Identifier: Apache-2.0
// How much CPU time the image of a tree takes to write (other work must not colour it), and how large it is. Run by hand:
//
//     node test/bench/erofs-image.ts
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { writeErofsImage } from '../../src/store/erofs/write-erofs-image.ts';
import { noise, SampleTree } from '../support/store/sample-tree.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const RUNS = 9;

// As in a Debian root: a directory for every eight entries, one link in ten, sixty files in a
// hundred of 4 KiB or less.
function debianLike(entries: number, inlineMaxBytes: number): SampleTree {
  const tree = new SampleTree(inlineMaxBytes);
  const bytes = noise('bench', 4096);
  for (let index = 0; index < entries; index += 1) {
    const directory = `usr/share/d${Math.floor(index / 200)}/e${Math.floor(index / 8) % 25}`;
    const path = `${directory}/name-of-entry-${index}`;
    const mtimeSeconds = 1_600_000_000 + (index % 90);
    if (index % 8 === 0) tree.directory(path, { mtimeSeconds });
    else if (index % 10 === 1) tree.symlink(path, `../elsewhere/${index}`, { mtimeSeconds });
    else if (index % 10 < 4) tree.hollow(path, 10_000 + index, { mtimeSeconds });
    else tree.file(path, bytes.subarray(0, ((index * 13) % 2600) + 1), { mtimeSeconds });
  }
  return tree;
}

using tmp = temporaryDirectory('bench', '/dev/shm');
for (const entries of [12_000, 44_000]) {
  for (const inlineMaxBytes of [64, 4096]) {
    const tree = debianLike(entries, inlineMaxBytes);
    const times: number[] = [];
    let sizeBytes = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const fd = openSync(join(tmp.directory, 'image'), 'w');
      const start = process.cpuUsage();
      ({ sizeBytes } = writeErofsImage(tree, fd, tree));
      const { user, system } = process.cpuUsage(start);
      times.push((user + system) / 1000);
      closeSync(fd);
    }
    times.sort((a, b) => a - b);
    const [first = 0, middle = 0] = [times[0], times[RUNS >> 1]];
    const megabytes = (sizeBytes / 1e6).toFixed(1);
    console.log(
      `${entries} entries, inline to ${inlineMaxBytes} B: ${first.toFixed(0)} ms best, ${middle.toFixed(0)} ms median of CPU, ${megabytes} MB`,
    );
  }
}
