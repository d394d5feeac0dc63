// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { sixDebianImages, SIX_IMAGES } from '../support/image/debian-images.ts';
import { type DiskRoom, roomOf } from '../support/disk/disk-room.ts';
import { withLoopImage } from '../support/disk/loop-image.ts';
import { pushLayout } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { openBenchRegistry } from './bench-registry.ts';
import { layerFiles, podmanPull } from './peers.ts';
import { printPromise, printRow } from './print-row.ts';

/**
 * The room that six images of Debian packages take on a fresh ext4: three on one base, one on the base with the
 * security fixes since, and both bases. sysct's store and podman's (overlay) pull them from a registry;
 * ostree (mode bare, which keeps owners as podman and sysct do, and makes no checkout) commits the unpacked trees.
 */
export async function measureDisk(): Promise<void> {
  await using bench = await openBenchRegistry();
  const layouts = await sixDebianImages();
  for (const { tag } of SIX_IMAGES) {
    await pushLayout(join(layouts, tag), 'latest', bench.registry, `bench/debian:${tag}`);
  }
  console.log('\nroom for six Debian images');
  const sysct = await withLoopImage({ fs: 'ext4', sizeMb: 6144 }, async (root) => {
    for (const { tag } of SIX_IMAGES) await bench.sysctPull(root, `bench/debian:${tag}`);
    const store = join(root, 'var/lib/sysct');
    for (const part of ['objects', 'layers', 'trees', 'images']) {
      printRow(`  sysct: ${part}`, describeRoom(roomOf(join(store, part))));
    }
    return roomOf(store);
  });
  printRow('  sysct', describeRoom(sysct));
  const podman = await withLoopImage({ fs: 'ext4', sizeMb: 6144 }, async (root) => {
    for (const { tag } of SIX_IMAGES) {
      await podmanPull(root, bench.registry, `bench/debian:${tag}`);
    }
    return roomOf(join(root, 'storage'));
  });
  printRow('  podman', describeRoom(podman));
  const ostree = await withLoopImage({ fs: 'ext4', sizeMb: 6144 }, async (root) => {
    await runChecked('ostree', ['init', `--repo=${root}/repo`, '--mode=bare']);
    for (const { tag } of SIX_IMAGES) await ostreeCommit(root, join(layouts, tag), tag);
    return roomOf(join(root, 'repo'));
  });
  printRow('  ostree', describeRoom(ostree));
  for (const [name, peer, promised] of [
    ['podman', podman, 0.75] as const,
    ['ostree', ostree, 1] as const,
  ]) {
    printPromise(`  blocks, of ${name}'s`, sysct.allocatedBytes / peer.allocatedBytes, promised);
    printPromise(`  bytes, of ${name}'s`, sysct.apparentBytes / peer.apparentBytes, promised);
    printPromise(`  inodes, of ${name}'s`, sysct.inodes / peer.inodes, promised);
  }
}

/** Device nodes are left out: ostree has no place for them. */
async function ostreeCommit(root: string, layout: string, branch: string): Promise<void> {
  using tmp = temporaryDirectory('bench-ostree', '/dev/shm');
  const tree = join(tmp.directory, 'tree');
  mkdirSync(tree);
  for (const layer of layerFiles(layout)) {
    await runChecked('tar', ['-C', tree, '--exclude=.wh.*', '-xzf', layer]);
  }
  if (existsSync(join(tree, 'dev'))) rmSync(join(tree, 'dev'), { recursive: true });
  await runChecked('ostree', [
    'commit',
    `--repo=${root}/repo`,
    `--branch=${branch}`,
    `--tree=dir=${tree}`,
  ]);
}

function describeRoom({ allocatedBytes, apparentBytes, inodes }: DiskRoom): readonly string[] {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return [mb(allocatedBytes), mb(apparentBytes), `${inodes} inodes`];
}
