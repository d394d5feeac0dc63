// SPDX-License-Identifier: Apache-2.0
import type { Removals, RemovedKind } from '../../store/collect/removals.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

/** What a person calls the things, one and several. */
const WORDS: Readonly<Record<RemovedKind, readonly [string, string]>> = {
  objects: ['file', 'files'],
  layers: ['layer', 'layers'],
  trees: ['tree', 'trees'],
  images: ['tree image', 'tree images'],
  blobs: ['document', 'documents'],
  removed: ['removed name', 'removed names'],
  downloads: ['partial download', 'partial downloads'],
  quarantine: ['quarantined file', 'quarantined files'],
  imports: ['dead import', 'dead imports'],
};

export const gc: Verb = {
  name: 'gc',
  summary: 'Remove from the store what nothing needs',
  description: [
    'Removes the files of images that were removed or pulled anew, what interrupted pulls left, partial downloads that nobody went on with for a week, and what a check put into quarantine a month ago. What an image, an installed container, an install that is under way, or a running mount needs stays, and others may pull, install and run meanwhile.',
    'Additional stores are left alone, and so is what a container needs that runs from one.',
    'If it cannot be told what something needs (a record of a newer sysct, a damaged one), nothing is removed.',
    'sysct-gc.timer runs it once a week: systemctl enable --now sysct-gc.timer.',
  ],
  args: [],
  options: [
    { flags: '--dry-run', description: 'print what would be removed, and its bytes' },
    {
      flags: '--all',
      description: 'partial downloads and quarantined files too, however new they are',
    },
    { flags: '-q, --quiet', description: 'print nothing but what goes wrong' },
    { flags: '--json', description: 'print what was removed as JSON' },
  ],
  examples: [
    { command: 'sysct gc --dry-run', does: 'What there is to gain.' },
    { command: 'sysct gc', does: 'Free it.' },
  ],
  interrupted: 'what was removed by then is gone; run it again for the rest',
  run: async (context, _args, options) => {
    const { openStoreOf } = await import('../parts/open-parts.ts');
    const store = await openStoreOf(context);
    const isDry = options.flag('dry-run');
    const removals = await store.collectGarbage({
      mode: isDry ? 'look' : 'remove',
      leftovers: options.flag('all') ? 'all' : 'old',
      now: context.now(),
      signal: context.signal,
    });
    if (options.flag('json')) {
      const freedBytes = removals.bytes;
      context.printJson({ version: 1, dryRun: isDry, freedBytes, removed: removals });
    } else if (!options.flag('quiet')) {
      context.print(await describe(removals, isDry));
    }
    return EXIT.done;
  },
};

async function describe(removals: Removals, isDry: boolean): Promise<string> {
  const { formatSize } = await import('../../base/size.ts');
  const { REMOVED_KINDS } = await import('../../store/collect/removals.ts');
  const lines = REMOVED_KINDS.flatMap((kind) => {
    const { count, bytes } = removals.of(kind);
    const [one, several] = WORDS[kind];
    return count === 0 ? [] : [`${count} ${count === 1 ? one : several}, ${formatSize(bytes)}\n`];
  });
  const doing = isDry ? 'would free' : 'freed';
  return `${lines.join('')}${doing} ${formatSize(removals.bytes)}\n`;
}
