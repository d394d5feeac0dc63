// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../base/log.ts';
import { quote } from '../../base/printable.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { mountOf, readMountInfo } from '../../sys/mount-info.ts';
import { waitingFileSystemOf } from '../../sys/network-file-system.ts';
import { runProcess } from '../../sys/process.ts';
import { probeFormat } from '../disk/format-file.ts';
import { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { AdditionalStore } from './additional-store.ts';

/** Where an additional store may be. */
export interface AdditionalPlace {
  /** Host path. */
  readonly path: string;
  /** `named` by a setting: then it is said when there is none. */
  readonly origin: 'named' | 'usual';
}

export interface OpenAdditionalOptions {
  readonly host: HostRoot;
  /** Real path of the host's own store, which is not an additional one as well. */
  readonly local: string;
  /** How long a file server has to answer; default 5 s. */
  readonly answerMs?: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Opens those of `places` that can be read, in their order. The others are left out with a warning:
 * what does not need them does not fail for their sake.
 */
export async function openAdditionalStores(
  places: readonly AdditionalPlace[],
  options: OpenAdditionalOptions,
): Promise<AdditionalStore[]> {
  const { log, signal } = options;
  const seen = new Set([realPathIfThere(options.local)]);
  const stores: AdditionalStore[] = [];
  for (const place of places) {
    try {
      const store = await openAdditional(place, options);
      if (store === undefined || seen.has(store.layout.directory)) continue;
      seen.add(store.layout.directory);
      stores.push(store);
    } catch (error) {
      signal.throwIfAborted();
      log.warn(`additional store ${quote(place.path)}: ${reasonOf(error)}; it is left out`);
    }
  }
  return stores;
}

async function openAdditional(
  { path, origin }: AdditionalPlace,
  { host, log, signal, answerMs = ANSWER_MS }: OpenAdditionalOptions,
): Promise<AdditionalStore | undefined> {
  await assertAnswers(join(host.directory, path), answerMs, signal);
  const found = host.resolveFollowing(path);
  if (origin === 'usual' && !existsSync(join(found, 'format.json'))) return undefined;
  const layout = new StoreLayout(realpathSync(found));
  assertGuarded(layout, host);
  if (probeFormat(layout) === 'empty') throw new StoreError('NOT_A_STORE', 'there is no store');
  const { objects, layers, trees, blobs, refs } = layout;
  for (const directory of [objects, layers, trees, blobs, refs]) {
    accessSync(directory, constants.R_OK | constants.X_OK);
  }
  return new AdditionalStore(path, layout, log);
}

const ANSWER_MS = 5000;

// A file server that is gone would hold this process, and nothing could end it; so another one asks first.
async function assertAnswers(
  directory: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const type = waitingFileSystemOf(directory);
  if (type === undefined) return;
  const asking = { signal, timeoutMs };
  const { signal: killed } = await runProcess('stat', ['--file-system', '--', directory], asking);
  if (killed === undefined) return;
  throw new StoreError('STORE_IO_FAILED', `its file system (${type}) does not answer`);
}

// Whoever may write a store, or put another one in its place, decides what its images hold. What lies above an
// offline root is the operator's affair.
function assertGuarded(layout: StoreLayout, host: HostRoot): void {
  if (process.getuid?.() !== 0) return;
  const mounts = readMountInfo();
  const isRoots = (path: string, mayBeSticky: boolean): boolean => {
    if (mountOf(mounts, path)?.options.includes('ro') === true) return true;
    const { uid, mode } = statSync(path);
    const isSticky = mayBeSticky && (mode & 0o1000) !== 0;
    return uid === 0 && ((mode & 0o022) === 0 || isSticky);
  };
  const { directory, objects, layers, trees, blobs, refs } = layout;
  const parts = [directory, objects, layers, trees, dirname(blobs), blobs, refs];
  if (!parts.every((path) => isRoots(path, false))) {
    throw new StoreError('STORE_NOT_PERMITTED', 'others than root can write it');
  }
  const open = above(directory, realPathIfThere(host.directory)).find(
    (path) => !isRoots(path, true),
  );
  if (open === undefined) return;
  throw new StoreError(
    'STORE_NOT_PERMITTED',
    `others than root can write ${quote(open)} and so put another one in its place`,
  );
}

/** The directories that `directory` lies in, up to `top`. */
function above(directory: string, top: string): string[] {
  const parent = dirname(directory);
  return directory === top || parent === directory ? [] : [parent, ...above(parent, top)];
}

function reasonOf(error: unknown): string {
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'it is not there, or not whole';
  if (isErrno(error, 'EACCES', 'EPERM')) return 'this host may not read it';
  return messageOf(error);
}

function realPathIfThere(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return path;
    throw error;
  }
}
