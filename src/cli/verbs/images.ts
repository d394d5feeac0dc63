// SPDX-License-Identifier: Apache-2.0
import { shortDigest } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import type { StoredImage } from '../../store/stores.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

const HEADING = ['NAME', 'IMAGE ID', 'DIGEST', 'SIZE', 'PULLED'];
const HEADING_OF_MANY = [...HEADING, 'STORE'];

const COMPLETION_MS = 500;

export const images: Verb = {
  name: 'images',
  summary: 'List the images in the store',
  description: [
    'Lists every image by name. SIZE is that of its files; files that images share are stored once.',
    'Images of additional stores are listed with the store they are in; what has the same name in the own store is what the name means.',
  ],
  args: [],
  options: [
    { flags: '-q, --quiet', description: 'print only the image IDs' },
    {
      flags: '--names',
      description:
        'with --quiet: print the names instead; a file server has half a second to answer',
    },
    { flags: '--noheading', description: 'leave the heading out' },
    { flags: '--no-trunc', description: 'print digests whole' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [{ command: 'sysct images', does: 'What the store holds.' }],
  run: async (context, _args, options) => {
    const { openStoresOf } = await import('../parts/open-parts.ts');
    const { AdditionalStore } = await import('../../store/reader/additional-store.ts');
    const { nameOf } = await import('../../store/ref/image-name.ts');
    // Who completes a name does not wait for a file server that is gone.
    const waiting = options.flag('names') ? { answerMs: COMPLETION_MS } : {};
    const stores = await openStoresOf(context, waiting);
    const storeOf = ({ store }: StoredImage): string =>
      store instanceof AdditionalStore ? store.hostPath : context.settings.store;
    // Of one name, the one that it means comes first: the sort is stable.
    const found = stores
      .listImages()
      .toSorted(({ record: a }, { record: b }) => order(nameOf(a), nameOf(b)));
    if (options.flag('json')) {
      const list = found.map((image) => {
        const { record } = image;
        return { name: nameOf(record), ...record, store: storeOf(image) };
      });
      context.printJson({ version: 1, images: list });
      return EXIT.done;
    }
    if (options.flag('quiet')) {
      const lines = found.map(({ record: r }) => (options.flag('names') ? nameOf(r) : r.imageId));
      context.print([...new Set(lines)].map((line) => `${printable(line)}\n`).join(''));
      return EXIT.done;
    }
    const { ago, renderTable } = await import('../output/table.ts');
    const { formatSize } = await import('../../base/size.ts');
    const shown = options.flag('no-trunc') ? String : shortDigest;
    const many = stores.additional.length > 0;
    const rows = found.map((image) => {
      const { record } = image;
      return [
        nameOf(record),
        shown(record.imageId),
        shown(record.manifestDigest),
        formatSize(record.contentBytes),
        ago(new Date(record.pulledAt), context.now()),
        ...(many ? [storeOf(image)] : []),
      ];
    });
    context.print(renderTable(many ? HEADING_OF_MANY : HEADING, rows, !options.flag('noheading')));
    return EXIT.done;
  },
};

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
