// SPDX-License-Identifier: Apache-2.0
// The images that the crash campaigns pull, install and remove again: small, in a real registry, on one
// base, with contents in common beside it, so that whatever is removed shares something with what must stay.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry, type Registry } from '../registry/registry.ts';
import { pushLayout, writeSmallImage, type SmallEntry } from '../image/small-image.ts';
import { temporaryDirectory } from '../tmp.ts';

export type CrashImage = 'keep' | 'held' | 'a' | 'b' | 'c' | 'd' | 'shared';

export const CRASH_IMAGES: readonly CrashImage[] = ['keep', 'held', 'a', 'b', 'c', 'd', 'shared'];

export interface CrashRegistry extends AsyncDisposable {
  readonly host: string;
  /** What the registry wrote, with a line for each request. */
  log(): Promise<string>;
  /** What `pull` and `install` take. */
  sourceOf(image: CrashImage): string;
  /** The name in the store. */
  referenceOf(image: CrashImage): string;
}

/** Starts a registry that has them all. */
export async function startCrashRegistry(): Promise<CrashRegistry> {
  const registry = await startRegistry({ tls: false });
  using tmp = temporaryDirectory('crash-images');
  for (const image of CRASH_IMAGES) {
    const layout = join(tmp.directory, image);
    await writeSmallImage(layout, '1', {
      layers: [
        baseEntries(),
        ownEntries(image),
        ...(image === 'shared' ? [files('more', 200)] : []),
      ],
      config: { Entrypoint: ['/bin/busybox', 'sleep', '1000'], Env: ['PATH=/bin'] },
    });
    await pushLayout(layout, '1', registry, `open/${image}:1`);
  }
  return onLoopback(registry);
}

function onLoopback(registry: Registry): CrashRegistry {
  return {
    host: registry.host,
    log: registry.log,
    sourceOf: (image) => `docker://${registry.host}/open/${image}:1`,
    referenceOf: (image) => `${registry.host}/open/${image}:1`,
    [Symbol.asyncDispose]: () => registry.stop(),
  };
}

const SERVICE = `[Unit]
Description=Crash
[Service]
ExecStart=$EXEC_START
[Install]
WantedBy=multi-user.target
`;

function baseEntries(): readonly SmallEntry[] {
  return [
    { name: 'bin/busybox', mode: 0o755, content: readFileSync('/bin/busybox') },
    ...files('base', 120),
    { name: 'exports/service.template', content: SERVICE },
  ];
}

function ownEntries(image: CrashImage): readonly SmallEntry[] {
  return [
    ...files(image, 60),
    { name: `usr/lib/${image}/large`, content: largeFileOf(image) },
    // The bytes of others under another name: an object that two images need.
    { name: `usr/lib/${image}/common`, content: bytesOf('common', 50_000) },
    { name: `usr/lib/${image}/set-uid`, mode: 0o4755, content: bytesOf('base 1', 9000) },
  ];
}

/** The bytes of `usr/lib/IMAGE/large`, which only this image has. */
export function largeFileOf(image: CrashImage): Buffer {
  return bytesOf(image, 2 << 20);
}

function files(seed: string, count: number): readonly SmallEntry[] {
  return Array.from({ length: count }, (_, n) => ({
    name: `usr/lib/${seed}/file-${n}`,
    content: bytesOf(`${seed} ${n}`, n % 2 === 0 ? 300 + n * 20 : 5000 + n * 400),
  }));
}

function bytesOf(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}
