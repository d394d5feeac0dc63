// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- NAME…]: the promises about speed and size, beside other programs in the same run. A name
// also means those that begin with it (`pull` all file systems). What takes long or much room runs only
// when it is named.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { FEW_LARGE_FILES, LARGE_IMAGE, MILLION_FILES } from './bench-images.ts';
import { measureDisk } from './disk.ts';
import { measureMemory } from './memory.ts';
import { measurePull } from './pull.ts';
import { measurePullAgain } from './pull-again.ts';
import { measureRebuild } from './rebuild.ts';
import { measureStartUp } from './start-up.ts';
import { measureTrust } from './trust.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<void>>> = {
  'start-up': measureStartUp,
  'pull-ext4': () => measurePull('ext4'),
  'pull-xfs': () => measurePull('xfs'),
  'pull-btrfs': () => measurePull('btrfs'),
  trust: measureTrust,
  again: measurePullAgain,
  disk: measureDisk,
  rebuild: measureRebuild,
  'memory-large': () => measureMemory('1.1 GB, 44,000 files', LARGE_IMAGE),
};

const ONLY_WHEN_NAMED: Readonly<Record<string, () => Promise<void>>> = {
  'memory-10gb': () => measureMemory('10 GB in 160 files', FEW_LARGE_FILES),
  'memory-million': () => measureMemory('a million files of 1000 bytes', MILLION_FILES),
};

process.chdir(join(import.meta.dirname, '../..'));
const wanted = process.argv.slice(2);
const chosen =
  wanted.length === 0
    ? Object.entries(BENCHMARKS)
    : Object.entries({ ...BENCHMARKS, ...ONLY_WHEN_NAMED }).filter(([name]) =>
        wanted.some((prefix) => name === prefix || name.startsWith(`${prefix}-`)),
      );
if (chosen.length === 0) {
  const names = Object.keys({ ...BENCHMARKS, ...ONLY_WHEN_NAMED }).join(', ');
  throw new Error(`no such benchmark; there are ${names}`);
}
execFileSync(process.execPath, ['bin/build.ts'], { stdio: ['ignore', 2, 2] });
for (const [, measure] of chosen) await measure();
