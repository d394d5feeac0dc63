// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '../../base/progress.ts';
import type { ContainerParts } from '../../container/record/container-parts.ts';
import type { AdditionalStore } from '../../store/reader/additional-store.ts';
import {
  openAdditionalStores,
  type OpenAdditionalOptions,
} from '../../store/reader/open-additional-stores.ts';
import { openStore, type Store } from '../../store/store.ts';
import { Stores } from '../../store/stores.ts';
import type { Context } from '../context/context.ts';

export async function openStoreOf(context: Context): Promise<Store> {
  const { gcGraceMs: graceMs, verity, chunkedDiffId } = context.settings;
  const { log, storeDirectory } = context;
  return await openStore(storeDirectory, { log, graceMs, verity, chunkedDiffId });
}

/** The host's own store and the additional ones. Those that cannot be read are left out with a warning. */
export async function openStoresOf(context: Context, waiting: Waiting = {}): Promise<Stores> {
  return new Stores(await openStoreOf(context), await openAdditionalOf(context, waiting));
}

/** How long a file server has to answer, if not the usual time. */
type Waiting = Pick<OpenAdditionalOptions, 'answerMs'>;

async function openAdditionalOf(
  context: Context,
  waiting: Waiting = {},
): Promise<readonly AdditionalStore[]> {
  const { host, log, signal, settings, storeDirectory: local } = context;
  const options = { host, local, log, signal, ...waiting };
  return await openAdditionalStores(settings.additionalStores, options);
}

export async function openParts(context: Context, progress: Progress): Promise<ContainerParts> {
  const store = await openStoreOf(context);
  return {
    host: context.host,
    store,
    openAdditional: () => openAdditionalOf(context),
    pullStore: store,
    storePath: context.settings.store,
    storePaths: [
      context.settings.store,
      ...context.settings.additionalStores.map(({ path }) => path),
    ],
    containersPath: context.containersDirectory,
    log: context.log,
    progress,
    now: () => context.now(),
    signal: context.signal,
  };
}
