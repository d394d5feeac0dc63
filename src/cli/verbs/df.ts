// SPDX-License-Identifier: Apache-2.0
import { formatSize } from '../../base/size.ts';
import type { DiskUsage, ImageUsage } from '../../store/collect/disk-usage.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

const HEADING = ['NAME', 'CONTAINERS', 'SIZE', 'STORED', 'SHARED', 'UNIQUE'];

interface StoreUsage {
  /** Its directory. */
  readonly store: string;
  readonly totalBytes: number;
  /** On its file system. */
  readonly freeBytes: number;
}

export const df: Verb = {
  name: 'df',
  summary: 'Print what the store is full of',
  description: [
    'Lists every image once. SIZE is that of its files as one that runs it sees them; STORED what the store holds for it, of which SHARED is for other images too, and UNIQUE for it alone: what removing it would free, unless a container keeps it. Then the whole store and what is free on its file system, sums, what containers have of their own, and what sysct gc would free.',
    'Sizes are those of files: a file system rounds them up to its blocks.',
  ],
  args: [],
  options: [
    { flags: '--noheading', description: 'leave the heading out' },
    { flags: '--json', description: 'print JSON, in bytes' },
  ],
  examples: [{ command: 'sysct df', does: 'Where the space went, and what sharing saved.' }],
  run: async (context, _args, options) => {
    const { openStoreOf } = await import('../parts/open-parts.ts');
    const { freeBytes } = await import('../../store/disk/free-space.ts');
    const usage = await (await openStoreOf(context)).measureDiskUsage(context.now());
    const store: StoreUsage = {
      store: context.settings.store,
      totalBytes: totalOf(usage),
      freeBytes: freeBytes(context.storeDirectory),
    };
    if (options.flag('json')) {
      context.printJson({ version: 1, ...store, ...usage });
      return EXIT.done;
    }
    const { renderTable } = await import('../output/table.ts');
    const images = usage.images.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    context.print(renderTable(HEADING, images.map(rowOf), !options.flag('noheading')));
    context.print(`\n${summaryOf(usage, store)}`);
    return EXIT.done;
  },
};

function nameOf({ names }: ImageUsage): string {
  const [first = ''] = names;
  return names.length === 1 ? first : `${first} (+${names.length - 1})`;
}

function rowOf(image: ImageUsage): readonly string[] {
  const { logicalBytes, storedBytes, sharedBytes, uniqueBytes } = image;
  const sizes = [logicalBytes, storedBytes, sharedBytes, uniqueBytes].map(formatSize);
  return [nameOf(image), String(image.containers.length), ...sizes];
}

/** All that lies in the store. */
function totalOf(usage: DiskUsage): number {
  const { storedBytes, heldBytes, garbageBytes } = usage;
  const { downloadBytes, importBytes, quarantineBytes } = usage;
  const inUse = storedBytes + heldBytes + ownOf(usage);
  return inUse + garbageBytes + downloadBytes + importBytes + quarantineBytes;
}

function ownOf({ containers }: DiskUsage): number {
  return containers.reduce((sum, { ownBytes }) => sum + ownBytes, 0);
}

function summaryOf(usage: DiskUsage, { store, totalBytes, freeBytes }: StoreUsage): string {
  const { images, containers } = usage;
  const own = ownOf(usage);
  const saved = usage.savedBytes > 0 ? `, ${formatSize(usage.savedBytes)} saved by sharing` : '';
  const rows: [string, string][] = [
    ['Store', `${store}, ${formatSize(totalBytes)}, with ${formatSize(freeBytes)} free`],
    [
      'Images',
      `${images.length}, ${formatSize(usage.logicalBytes)} of files in ${formatSize(usage.storedBytes)}${saved}`,
    ],
    [
      'Unused',
      `${formatSize(usage.reclaimableBytes)} of images that no container uses: sysct rmi --all`,
    ],
    ['Containers', `${containers.length}, ${formatSize(own)} of their own`],
    ['Held', `${formatSize(usage.heldBytes)} for containers and readers of removed images`],
    ['Garbage', `${formatSize(usage.garbageBytes)}: sysct gc`],
    ['Downloads', `${formatSize(usage.downloadBytes)} of partial ones`],
    ['Imports', `${formatSize(usage.importBytes)} under way or dead`],
    ['Quarantine', formatSize(usage.quarantineBytes)],
  ];
  const always = new Set(['Store', 'Images', 'Containers', 'Garbage']);
  return rows
    .filter(([key, value]) => always.has(key) || !value.startsWith('0 B'))
    .map(([key, value]) => `${`${key}:`.padEnd(12)} ${value}\n`)
    .join('');
}
