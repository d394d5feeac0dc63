// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { printable, quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { matchImage } from '../../store/ref/find-image.ts';
import { nameOf } from '../../store/ref/image-name.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import { StoreError } from '../../store/disk/store-error.ts';
import type { Store } from '../../store/store.ts';
import { EXIT, exitCodeOf } from '../output/exit-code.ts';
import type { Context } from '../context/context.ts';
import type { OptionValues } from '../options/option-values.ts';
import type { Verb } from '../context/verb.ts';

export const rmi: Verb = {
  name: 'rmi',
  summary: 'Remove images from the store',
  description: [
    'Removes the names of images, and at once what of the store only they needed. A name of an image that has others is all that goes; an image that is given by its ID goes if it has one name only.',
    'Images of additional stores are not removed: this host only reads them.',
    'An image that an installed container uses is refused. With --force its name goes, and the container keeps what it needs and runs on, but its image has to be pulled again to be repaired or run by name.',
  ],
  args: [
    {
      name: 'IMAGE',
      description: 'a name, a digest, or the first digits of an image ID',
      arity: 'any',
      completes: 'images',
    },
  ],
  options: [
    { flags: '-a, --all', description: 'remove all images that no container uses' },
    {
      flags: '-f, --force',
      description: 'remove all names of an ID, and those that containers use',
    },
    { flags: '-i, --ignore', description: 'do not mind images that are not there' },
    { flags: '-q, --quiet', description: 'print nothing but what goes wrong' },
    { flags: '--json', description: 'print what was removed as JSON' },
  ],
  examples: [
    { command: 'sysct rmi quay.io/coreos/etcd:v3.5', does: 'Remove an image by its name.' },
    { command: 'sysct rmi --all', does: 'Remove what no container uses.' },
  ],
  interrupted: 'names that are gone stay gone; sysct gc frees the rest',
  run: async (context, names, options) => {
    if ((names.length === 0) !== options.flag('all')) {
      throw new UsageError('rmi: name images, or give --all', { hint: 'sysct images lists them' });
    }
    const { openStoreOf } = await import('../parts/open-parts.ts');
    const store = await openStoreOf(context);
    const choice = choose(store, names, options);
    if (!options.flag('quiet')) for (const line of choice.kept) context.log.info(line);
    const { failure, ...removed } = await remove(
      store,
      choice.records,
      context.now(),
      context.signal,
    );
    if (options.flag('json')) context.printJson({ version: 1, ...removed });
    else if (!options.flag('quiet')) await print(removed, context);
    const refused = await explain(context, choice.refused);
    return await reportErrors(failure === undefined ? refused : [failure, ...refused], options);
  },
};

interface Removed {
  /** Names that are gone. */
  readonly untagged: readonly string[];
  /** Images that have none left. */
  readonly deleted: readonly Digest[];
  readonly freedBytes: number;
}

/** Names may be gone, and what only they needed still be there: then it is said that they are. */
async function remove(
  store: Store,
  records: readonly RefRecord[],
  now: Date,
  signal: AbortSignal,
): Promise<Removed & { readonly failure?: StoreError }> {
  let freedBytes = 0;
  let failure: StoreError | undefined;
  try {
    freedBytes = (await store.removeImages(records, now, signal)).bytes;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    failure = error;
  }
  const left = store.listRefs();
  const names = new Set(left.map(keyOf));
  const gone = records.filter((record) => !names.has(keyOf(record)));
  const imageIds = new Set(left.map(({ imageId }) => imageId));
  return {
    untagged: gone.map(nameOf),
    deleted: [...new Set(gone.map(({ imageId }) => imageId))].filter((id) => !imageIds.has(id)),
    freedBytes,
    ...(failure && { failure }),
  };
}

/** What a record is kept under. */
function keyOf({ reference, manifestDigest }: RefRecord): string {
  return reference ?? manifestDigest;
}

async function print({ untagged, deleted, freedBytes }: Removed, context: Context): Promise<void> {
  const { formatSize } = await import('../../base/size.ts');
  for (const name of untagged) context.print(`Untagged: ${printable(name)}\n`);
  for (const imageId of deleted) context.print(`Deleted: ${imageId}\n`);
  if (untagged.length > 0) context.print(`Freed: ${formatSize(freedBytes)}\n`);
}

/** Why one image is not removed. */
interface Refusal {
  readonly text: string;
  readonly error: StoreError;
}

interface Choice {
  readonly records: readonly RefRecord[];
  /** What --all leaves, a line each. */
  readonly kept: readonly string[];
  /** Why others are not removed. */
  readonly refused: readonly Refusal[];
}

/** One image that cannot be removed does not keep the others. */
function choose(store: Store, names: readonly string[], options: OptionValues): Choice {
  const users = options.flag('force')
    ? new Map<Digest, readonly string[]>()
    : store.containersByTree();
  const all = store.listRefs();
  if (options.flag('all')) {
    const kept = all.flatMap((record) => {
      const containers = users.get(record.treeId);
      return containers === undefined
        ? []
        : [`kept ${nameOf(record)}: ${containers.join(', ')} uses it`];
    });
    return { records: all.filter(({ treeId }) => !users.has(treeId)), kept, refused: [] };
  }
  const records = new Set<RefRecord>();
  const refused: Refusal[] = [];
  for (const text of names) {
    try {
      const found = namesMeant(all, text, options);
      refuseUsed(text, found, all, records, users);
      for (const record of found) records.add(record);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === 'STORE_DAMAGED' || error.code === 'FORMAT_TOO_NEW') throw error;
      refused.push({ text, error });
    }
  }
  return { records: [...records], kept: [], refused };
}

function namesMeant(
  all: readonly RefRecord[],
  text: string,
  options: OptionValues,
): readonly RefRecord[] {
  const { by, record, records } = matchImage(all, text);
  if (by === 'name') return [record];
  if (records.length === 1 || options.flag('force')) return records;
  const names = records.map(nameOf).join(', ');
  throw new StoreError(
    'IMAGE_HAS_NAMES',
    `removing image ${quote(text)}: it has the names ${names}`,
    { hint: 'remove them by name, or all of them with --force' },
  );
}

/** An image whose last name goes is refused while containers use it. */
function refuseUsed(
  text: string,
  found: readonly RefRecord[],
  all: readonly RefRecord[],
  going: ReadonlySet<RefRecord>,
  users: ReadonlyMap<Digest, readonly string[]>,
): void {
  for (const { treeId } of found) {
    const containers = users.get(treeId);
    const isKept = all.some(
      (other) => other.treeId === treeId && !going.has(other) && !found.includes(other),
    );
    if (containers === undefined || isKept) continue;
    throw new StoreError(
      'IMAGE_IN_USE',
      `removing image ${quote(text)}: ${containers.join(', ')} uses it`,
      { hint: `uninstall ${containers.join(', ')} first, or remove the name alone with --force` },
    );
  }
}

/** Says where an image is that the own store has not. */
async function explain(
  context: Context,
  refused: readonly Refusal[],
): Promise<readonly StoreError[]> {
  if (!refused.some(({ error }) => error.code === 'IMAGE_NOT_FOUND')) {
    return refused.map(({ error }) => error);
  }
  const { openStoresOf } = await import('../parts/open-parts.ts');
  const { additional } = await openStoresOf(context);
  return refused.map(({ text, error }) => {
    if (error.code !== 'IMAGE_NOT_FOUND') return error;
    const holder = additional.find((store) => store.knowsImage(text));
    if (holder === undefined) return error;
    return new StoreError(
      'IMAGE_NOT_FOUND',
      `removing image ${quote(text)}: it is in the additional store ${quote(holder.hostPath)} only, which this host does not write`,
      { hint: 'remove it where that store is written' },
    );
  });
}

/** @returns the exit status: that of the first. */
async function reportErrors(all: readonly StoreError[], options: OptionValues): Promise<number> {
  const { renderError } = await import('../output/report-error.ts');
  const errors = all.filter(({ code }) => !(code === 'IMAGE_NOT_FOUND' && options.flag('ignore')));
  for (const error of errors) process.stderr.write(renderError(error, options.flag('debug')));
  const [first] = errors;
  return first === undefined ? EXIT.done : exitCodeOf(first);
}
