// SPDX-License-Identifier: Apache-2.0
// What every crash test begins with: the images in a registry, how they look when nothing goes wrong, and a
// furnished site to copy.
import { type CrashRegistry, startCrashRegistry } from './crash-images.ts';
import { type Contents, CrashSite, undisturbed } from './crash-site.ts';
import { temporaryDirectory } from '../tmp.ts';

export interface CrashBench extends AsyncDisposable {
  readonly registry: CrashRegistry;
  readonly expected: Contents;
  /** Nobody changes it. */
  readonly furnished: CrashSite;
  /** In memory, for whatever else is needed. */
  readonly directory: string;
}

export async function openCrashBench(): Promise<CrashBench> {
  await using undo = new AsyncDisposableStack();
  const registry = undo.use(await startCrashRegistry());
  const { directory } = undo.use(temporaryDirectory('crash', '/dev/shm'));
  const expected = await undisturbed(registry, directory);
  const furnished = new CrashSite(`${directory}/furnished`, registry);
  await furnished.furnish();
  const kept = undo.move();
  return {
    registry,
    expected,
    furnished,
    directory,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A site below `directory` that is furnished as all are. */
export async function furnishedSite(bench: CrashBench, directory: string): Promise<CrashSite> {
  const site = new CrashSite(directory, bench.registry);
  await site.copyFrom(bench.furnished);
  return site;
}
