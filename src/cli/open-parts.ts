// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '../base/progress.ts';
import type { ContainerParts } from '../container/container-parts.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Context } from './context.ts';

export async function openStoreOf(context: Context): Promise<Store> {
  const { gcGraceMs: graceMs } = context.settings;
  return await openStore(context.storeDirectory, { log: context.log, graceMs });
}

export async function openParts(context: Context, progress: Progress): Promise<ContainerParts> {
  const store = await openStoreOf(context);
  return {
    host: context.host,
    store,
    pullStore: store,
    storePath: context.settings.store,
    containersPath: context.containersDirectory,
    log: context.log,
    progress,
    now: () => context.now(),
    signal: context.signal,
  };
}
