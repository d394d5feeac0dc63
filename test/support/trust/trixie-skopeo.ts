// SPDX-License-Identifier: Apache-2.0
// The skopeo of Debian trixie, in a root of its own: it makes zstd:chunked layers with a tar-split and knows sigstore,
// which Debian 12's does not.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessResult, runChecked, runProcess } from '../../../src/sys/process.ts';
import { debianRootTar } from '../host/debian-root.ts';
import type { Registry } from '../registry/registry.ts';
import { temporaryDirectory } from '../tmp.ts';

export interface TrixieSkopeo extends Disposable {
  /** The directory that skopeo sees as `/`. */
  readonly root: string;
  /** Runs skopeo with these arguments, whatever its exit status. */
  run(args: readonly string[]): Promise<ProcessResult>;
  /** Copies what a layout's tag names into a registry on plain HTTP, its layers as zstd:chunked. */
  pushChunked(layout: string, tag: string, registry: Registry, image: string): Promise<void>;
}

export async function openTrixieSkopeo(): Promise<TrixieSkopeo> {
  const tar = await debianRootTar({ release: 'trixie', packages: ['skopeo'] });
  const tmp = temporaryDirectory('trixie', '/dev/shm');
  const root = tmp.directory;
  await runChecked('tar', ['-C', root, '--exclude=./dev/*', '-xf', tar]);
  return {
    root,
    run: async (args) => await runProcess('chroot', [root, 'skopeo', ...args]),
    pushChunked: async (layout, tag, registry, image) => {
      const inside = join(root, 'srv/layout');
      rmSync(inside, { recursive: true, force: true });
      mkdirSync(inside);
      cpSync(layout, inside, { recursive: true });
      await runChecked('chroot', [
        ...[root, 'skopeo', '--insecure-policy', 'copy', '--dest-tls-verify=false'],
        ...CHUNKED,
        ...[`oci:/srv/layout:${tag}`, `docker://${registry.host}/${image}`],
      ]);
    },
    [Symbol.dispose]: () => tmp[Symbol.dispose](),
  };
}

/** As podman and buildah of that release have it by default. */
export const CHUNKED = ['--dest-compress-format=zstd:chunked', '--dest-compress-level=3'];
