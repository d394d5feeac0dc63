// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import type { ContainerParts } from '../../container/record/container-parts.ts';
import type { ServiceControl } from '../../container/host/service-control.ts';
import type { PullParts } from '../../image/pull-image.ts';
import type { Stores } from '../../store/stores.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import { DOWNGRADE_OPTION, POLICY_OPTIONS, PROGRESS_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const prefetch: Verb = {
  name: 'prefetch',
  summary: 'Copy what containers need of additional stores into the own store',
  description: [
    'Copies an image that is in an additional store into the own one, every file checked. What is cut short goes on where it was when it is called again. The policy judges anew what is copied; what is in the own store already it is not asked about. Where its name means another image here by now, the copy is kept by its digest.',
    'For an installed container its mount units are then changed too: from the next start of the service on, it comes up without the additional store. A restart keeps the mounts; stop and start the service to let go of the other store at once.',
    'A name that is both means the container.',
  ],
  args: [
    {
      name: 'NAME',
      description: 'an installed container, or an image by name or ID',
      arity: 'any',
      completes: 'containers',
    },
  ],
  options: [
    { flags: '--all', description: 'every installed container that needs an additional store' },
    ...POLICY_OPTIONS,
    DOWNGRADE_OPTION,
    ...PROGRESS_OPTIONS,
  ],
  examples: [
    { command: 'sysct prefetch etcd', does: 'From now on etcd starts without the file server.' },
    { command: 'sysct prefetch --all', does: 'The same for all containers.' },
  ],
  interrupted: 'what was copied by then is kept; run it again to go on',
  run: async (context, names, options) => {
    context.requireRoot('prefetch');
    if (names.length === 0 && !options.flag('all')) {
      throw new UsageError('prefetch: name a container or an image, or say --all');
    }
    const { containerNames } = await import('../../container/record/container-directory.ts');
    const { isInstalled } = await import('../../container/record/installed-container.ts');
    const { openServiceControl } = await import('../../container/host/service-control.ts');
    const { openParts, openStoresOf } = await import('../parts/open-parts.ts');
    const { gateFor, platformFor } = await import('../parts/image-access.ts');
    const progress = context.progress(options);
    const parts = await openParts(context, progress);
    const stores = await openStoresOf(context);
    const { log, now, signal, containersPath } = parts;
    const gate = await gateFor(context, 'pull', options, 'prefetch');
    const pullParts = {
      store: stores.local,
      additional: stores.additional,
      gate,
      platform: platformFor(options),
      progress,
      log,
      now,
      signal,
    };
    await using control = await openServiceControl(context.host, signal);
    const all = options.flag('all') ? containerNames(containersPath) : [];
    const works = { context, stores, pullParts, parts, control, quiet: options.flag('quiet') };
    for (const name of new Set([
      ...names,
      ...all.filter((each) => isInstalled(containersPath, each)),
    ])) {
      if (isInstalled(containersPath, name)) await container(name, works);
      else await image(name, works);
    }
    return EXIT.done;
  },
};

/** What all that is prefetched is prefetched with. */
interface Works {
  readonly context: Context;
  readonly stores: Stores;
  readonly pullParts: PullParts;
  readonly parts: ContainerParts;
  readonly control: ServiceControl;
  readonly quiet: boolean;
}

async function container(
  name: string,
  { context, stores, pullParts, parts, control, quiet }: Works,
): Promise<void> {
  const { prefetchContainer } = await import('../../container/prefetch-container.ts');
  const { requireInstalled } = await import('../../container/record/installed-container.ts');
  const installed = requireInstalled(parts.containersPath, name);
  const changed = await prefetchContainer(installed, stores, pullParts, parts, control);
  if (quiet) return;
  context.print(
    changed
      ? `${name} needs no additional store from its next start on\n`
      : `${name} needs no additional store\n`,
  );
}

async function image(name: string, { context, stores, pullParts, quiet }: Works): Promise<void> {
  const { pullImage } = await import('../../image/pull-image.ts');
  const { StoredSource } = await import('../../image/source/stored-source.ts');
  const { nameHere } = await import('../../image/source/name-here.ts');
  const { record, store } = stores.findImage(name);
  if (store === stores.local) {
    if (!quiet) context.print(`${record.imageId} is in the own store\n`);
    return;
  }
  await using source = new StoredSource(store, record);
  const keepAs = nameHere(record, stores);
  await pullImage(source, { ...pullParts, ...(keepAs !== undefined && { keepAs }) });
  if (!quiet) context.print(`${record.imageId}\n`);
}
