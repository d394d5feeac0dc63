// SPDX-License-Identifier: Apache-2.0
// Images made the way users make them: by buildah, from the recipes in test/fixtures/images.
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';
import { cached } from '../cache.ts';
import { debianRootTar, type DebianRelease } from '../host/debian-root.ts';
import type { Registry } from '../registry/registry.ts';
import { temporaryDirectory } from '../tmp.ts';

/** A directory of test/fixtures/images; its README says what each stands for. */
export type Recipe = 'etcd' | 'apache' | 'module-job' | 'plain';

export interface BuildOptions {
  /** Whose packages it is made from. Default `bookworm`. */
  readonly release?: DebianRelease;
}

const RECIPES = join(import.meta.dirname, '../../fixtures/images');

/** Builds the image of a recipe, or takes it from the cache: the path of an oci-archive with one image. */
export async function buildImage(recipe: Recipe, options: BuildOptions = {}): Promise<string> {
  const directory = join(RECIPES, recipe);
  const release = options.release ?? 'bookworm';
  const key = [1, release, hashOfDirectory(directory)];
  return await cached(`image-${recipe}-${release}`, key, async (path) => {
    const packages = packagesOf(directory);
    const root = packages === undefined ? undefined : await debianRootTar({ release, packages });
    // Memory: buildah's vfs storage copies every file of each layer.
    using tmp = temporaryDirectory('build', '/dev/shm');
    const context = join(tmp.directory, 'context');
    cpSync(directory, context, { recursive: true });
    if (root === undefined) copyFileSync('/bin/busybox', join(context, 'busybox'));
    else copyFileSync(root, join(context, 'root.tar'));
    await buildContext(context, tmp.directory, path);
  });
}

/**
 * Copies an image into a registry with skopeo, as `REPOSITORY:TAG` below it.
 * @param flags more arguments for `skopeo copy`, for example `--format=v2s2`.
 */
export async function pushImage(
  archive: string,
  registry: Registry,
  image: string,
  flags: readonly string[] = [],
): Promise<void> {
  await runChecked('skopeo', [
    ...['--insecure-policy', 'copy', ...registry.skopeoFlags('dest'), ...flags],
    ...[`oci-archive:${archive}`, `docker://${registry.host}/${image}`],
  ]);
}

async function buildContext(context: string, tmp: string, archive: string): Promise<void> {
  const storage = ['--root', join(tmp, 'storage'), '--runroot', join(tmp, 'run')];
  await runChecked(
    'buildah',
    [
      ...[...storage, '--storage-driver=vfs', 'bud', '--isolation=chroot', '--quiet'],
      // One layer: the tests that want several make them on purpose.
      ...['--squash', '--timestamp=1700000000', '--file', join(context, 'Containerfile')],
      ...['--tag', `oci-archive:${archive}:latest`, context],
    ],
    { env: { ...process.env, TMPDIR: tmp } },
  );
}

function packagesOf(directory: string): readonly string[] | undefined {
  const file = join(directory, 'packages');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : undefined;
}

function hashOfDirectory(directory: string): string {
  const hash = createHash('sha256');
  for (const name of globSync('**/*', { cwd: directory }).toSorted()) {
    const stat = statSync(join(directory, name));
    hash.update(`${name}\0${stat.mode}\0`);
    if (stat.isFile()) hash.update(readFileSync(join(directory, name)));
  }
  return hash.digest('hex');
}
