// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';
import { cached } from '../cache.ts';
import { temporaryDirectory } from '../tmp.ts';

export type DebianRelease = 'bookworm' | 'trixie' | 'sid';

export interface DebianRootSpec {
  readonly release: DebianRelease;
  /** On top of the essential ones. */
  readonly packages: readonly string[];
}

const SIZE_MB = 6144;

/** A slim tar of a Debian root, by mmdebstrap, without apt, documentation and caches; cached. */
export async function debianRootTar(spec: DebianRootSpec): Promise<string> {
  return await cached(`${spec.release}.tar`, ['tar', 2, spec], async (path) => {
    // mmdebstrap tells the format by the name.
    const tar = `${path}.tar`;
    const flags = [...mmdebstrapFlags(spec, 'essential'), ...SLIM];
    await runChecked('mmdebstrap', [...flags, spec.release, tar]);
    await runChecked('mv', [tar, path]);
  });
}

/**
 * An ext4 image that holds a Debian root, by mmdebstrap; cached, so copy it before use
 * (`cp --sparse=always`). Sparse: it takes the room of its files.
 */
export async function debianRootImage(spec: DebianRootSpec): Promise<string> {
  return await cached(`${spec.release}.ext4`, ['ext4', 3, SIZE_MB, spec], async (path) => {
    // Made in memory: a slow disk under the file system would count for every file of the root.
    using tmp = temporaryDirectory('debian', '/dev/shm');
    const image = join(tmp.directory, 'image');
    const root = join(tmp.directory, 'root');
    writeFileSync(image, '');
    truncateSync(image, SIZE_MB * 1024 * 1024);
    mkdirSync(root);
    await runChecked('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    await runChecked('mount', ['-o', 'loop', image, root]);
    try {
      await runChecked('mmdebstrap', [
        ...mmdebstrapFlags(spec, 'minbase'),
        '--format=directory',
        // It is the root of the file system, and mmdebstrap wants an empty one.
        '--skip=check/empty',
        spec.release,
        root,
      ]);
      // A root that boots more than once needs an empty one: PID 1 makes up a transient identity.
      writeFileSync(join(root, 'etc/machine-id'), '');
    } finally {
      // A host that boots at the same moment holds our mounts until it has left for its own root. Read-only,
      // the file system is whole in the image however long it stays mounted there.
      await runChecked('mount', ['-o', 'remount,ro', root]);
      await runChecked('umount', [root]);
    }
    await runChecked('cp', ['--sparse=always', image, path]);
  });
}

// As the slim images of Debian that people build on.
const SLIM = ['doc', 'info', 'locale', 'man'].map(
  (directory) => `--dpkgopt=path-exclude=/usr/share/${directory}/*`,
);

function mmdebstrapFlags(
  { release, packages }: DebianRootSpec,
  variant: 'essential' | 'minbase',
): readonly string[] {
  return [
    '--quiet',
    '--mode=root',
    `--variant=${variant}`,
    // Mirrors that stand still have one that is too old; the others lose nothing.
    ...(release === 'sid' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    ...(packages.length === 0 ? [] : [`--include=${packages.join(',')}`]),
  ];
}
