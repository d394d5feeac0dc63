// SPDX-License-Identifier: Apache-2.0
import { shortDigest } from '../../base/digest.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import { EXIT } from '../exit-code.ts';
import type { Verb } from '../verb.ts';

const HEADING = ['NAME', 'IMAGE ID', 'DIGEST', 'SIZE', 'PULLED'];

export const images: Verb = {
  name: 'images',
  summary: 'List the images in the store',
  description: [
    'Lists every image by name. SIZE is that of its files; files that images share are stored once.',
  ],
  args: [],
  options: [
    { flags: '-q, --quiet', description: 'print only the image IDs' },
    { flags: '--names', description: 'with --quiet: print the names instead' },
    { flags: '--noheading', description: 'leave the heading out' },
    { flags: '--no-trunc', description: 'print digests whole' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [{ command: 'sysct images', does: 'What the store holds.' }],
  run: async (context, _args, options) => {
    const { openStoreOf } = await import('../open-parts.ts');
    const nameOf = (record: RefRecord): string => record.reference ?? record.source;
    const records = (await openStoreOf(context))
      .listRefs()
      .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    if (options.flag('json')) {
      context.printJson({ version: 1, images: records });
      return EXIT.done;
    }
    if (options.flag('quiet')) {
      const lines = records.map((r) => (options.flag('names') ? nameOf(r) : r.imageId));
      context.print([...new Set(lines)].map((line) => `${line}\n`).join(''));
      return EXIT.done;
    }
    const { ago, renderTable } = await import('../table.ts');
    const { formatSize } = await import('../../base/size.ts');
    const shown = options.flag('no-trunc') ? String : shortDigest;
    const rows = records.map((record) => [
      nameOf(record),
      shown(record.imageId),
      shown(record.manifestDigest),
      formatSize(record.contentBytes),
      ago(new Date(record.pulledAt), context.now()),
    ]);
    context.print(renderTable(HEADING, rows, !options.flag('noheading')));
    return EXIT.done;
  },
};
