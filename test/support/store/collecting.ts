// SPDX-License-Identifier: Apache-2.0
// Stores with images that share layers and files, and what keeps things in them.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { silentLog } from '../../../src/base/log.ts';
import type { NamedImage } from '../../../src/store/collect/named-image.ts';
import type { Removals } from '../../../src/store/collect/removals.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { type LayerBlob, layerBlob } from './store-layers.ts';
import { tar } from '../image/tar-builder.ts';
import { temporaryDirectory } from '../tmp.ts';

/** Bytes that are always the same for a seed. */
function seeded(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** The content of a file of {@link layerOf}. */
export function contentOf(seed: string): Buffer {
  return seeded(seed, seed.startsWith('small') ? 300 : 9000 + seed.length);
}

/** A layer of large and small files: `files` gives content seeds by path; `hides` paths of lower layers. */
export function layerOf(
  files: Readonly<Record<string, string>>,
  ...hides: readonly string[]
): LayerBlob {
  return layerBlob(
    tar(
      ...Object.entries(files).map(([path, seed]) => ({
        path,
        content: contentOf(seed),
      })),
      ...hides.map((path) => ({ path: path.replace(/([^/]*)$/, '.wh.$1') })),
    ),
    'none',
  );
}

export const BASE = layerOf({ 'lib/libc': 'libc', 'lib/old': 'old', 'etc/conf': 'small conf' });
/** Hides a file of the base, and has one that {@link APP_B} has too. */
export const APP_A = layerOf(
  { 'bin/a': 'a', 'bin/common': 'common', 'etc/a': 'small a' },
  'lib/old',
);
export const APP_B = layerOf({ 'bin/b': 'b', 'bin/also': 'common', 'etc/b': 'small b' });
export const ALONE = layerOf({ 'bin/alone': 'alone', 'etc/alone': 'small alone' });

export async function withStore(
  use: (store: Store, directory: string) => Promise<void>,
  graceMs = 0,
): Promise<void> {
  using tmp = temporaryDirectory('gc', '/dev/shm');
  const directory = join(tmp.directory, 'store');
  await use(await openStore(directory, { log: silentLog, graceMs }), directory);
}

/** A collection now, or `laterMs` from now. */
export async function collect(
  store: Store,
  mode: 'remove' | 'look' = 'remove',
  laterMs = 0,
): Promise<Removals> {
  const now = new Date(Date.now() + laterMs);
  const { signal } = new AbortController();
  return await store.collectGarbage({ mode, leftovers: 'old', now, signal });
}

export async function forget(store: Store, ...names: readonly string[]): Promise<Removals> {
  const records = store.listRefs().filter(({ reference }) => names.includes(reference ?? ''));
  return await store.removeImages(records, new Date(), new AbortController().signal);
}

/** A generation of a container as an install leaves it, with as much of its record as the store reads. */
export function writeGeneration(
  store: Store,
  name: string,
  entry: string,
  record: NamedImage | string,
): string {
  const directory = join(store.layout.containers, name, entry);
  mkdirSync(directory, { recursive: true });
  if (typeof record === 'string') {
    writeFileSync(join(directory, 'generation.json'), record);
  } else {
    const { manifestDigest, imageId, treeId } = record;
    const image = { source: 'quay.io/x/y', manifestDigest, imageId, treeId };
    writeFileSync(join(directory, 'generation.json'), JSON.stringify({ version: 1, image }));
  }
  return directory;
}

export function pointCurrentAt(store: Store, name: string, entry: string): void {
  symlinkSync(entry, join(store.layout.containers, name, 'current'));
}
